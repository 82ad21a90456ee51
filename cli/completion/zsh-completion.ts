import { type CompletedCommand, completedValues, flagsWithValue } from './command-tree.ts';
import { quote } from './quote.ts';

/** `name:description` of _describe. */
function described(name: string, description: string): string {
  return quote(description === '' ? name : `${name.replaceAll(':', '\\:')}:${description}`);
}

function candidatesOf({ path, subcommands, options, choices }: CompletedCommand): string {
  const names = [...subcommands.map(({ name, description }) => described(name, description)), ...choices.map(quote)];
  const flags = options.flatMap((option) => option.flags.map((flag) => described(flag, option.description)));
  return `    (${quote(path)}) names=(${names.join(' ')}); flags=(${flags.join(' ')}) ;;`;
}

/** A script for zsh: to be sourced after compinit, or a file `_keyturn` on the fpath. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const { files, choices } = completedValues(commands);
  return `#compdef keyturn
# zsh completion of keyturn. In ~/.zshrc, after compinit: source <(keyturn completion zsh)
_keyturn() {
  local command=keyturn option= word
  local -a names flags
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n "$option" ]]; then option=; continue; fi
    case "$word" in
      (${flagsWithValue(commands).join('|')}) option="$word" ;;
      (-*) ;;
      (*) case "$command $word" in
        (${commands
          .slice(1)
          .map(({ path }) => quote(path))
          .join('|')}) command="$command $word" ;;
      esac ;;
    esac
  done
  case "$option" in
    ('') ;;
    (${files.join('|')}) _files; return ;;
${choices.map(([flag, values]) => `    (${flag}) compadd -- ${values.map(quote).join(' ')}; return ;;`).join('\n')}
    (*) return ;;
  esac
  case "$command" in
${commands.map(candidatesOf).join('\n')}
  esac
  if [[ "\${words[CURRENT]}" == -* ]] || (( \${#names} == 0 )); then
    _describe -o 'option' flags
  else
    _describe 'command' names
  fi
}
if [[ "\${funcstack[1]}" == _keyturn ]]; then _keyturn "$@"; else compdef _keyturn keyturn; fi
`;
}
