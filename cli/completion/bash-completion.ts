import { type CompletedCommand, completedValues, flagsWithValue } from './command-tree.ts';
import { quote } from './quote.ts';

const words = (texts: readonly string[]): string => quote(texts.join(' '));

/** A script for bash, from 3.2 on, to be sourced. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const { files, choices } = completedValues(commands);
  const candidates = commands.map(({ path, subcommands, options, choices: arguments_ }) => {
    const names = [...subcommands.map(({ name }) => name), ...arguments_];
    const flags = options.flatMap((option) => option.flags);
    return `    ${quote(path)}) names=${words(names)} flags=${words(flags)} ;;`;
  });
  return `# bash completion of keyturn. In ~/.bashrc: source <(keyturn completion bash)
_keyturn() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command=keyturn option= names= flags= word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    # Of --sort=name bash makes three words.
    if [ -n "$option" ]; then [ "$word" = = ] || option=; continue; fi
    case "$word" in
      ${flagsWithValue(commands).join('|')}) option="$word" ;;
      -*) ;;
      *) case "$command $word" in
        ${commands
          .slice(1)
          .map(({ path }) => quote(path))
          .join('|')}) command="$command $word" ;;
      esac ;;
    esac
  done
  case "$option" in
    '') ;;
    ${files.join('|')}) local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$current")); return ;;
${choices.map(([flag, values]) => `    ${flag}) COMPREPLY=($(compgen -W ${words(values)} -- "$current")); return ;;`).join('\n')}
    *) return ;;
  esac
  case "$command" in
${candidates.join('\n')}
  esac
  if [[ "$current" == -* || -z "$names" ]]; then names="$flags"; fi
  COMPREPLY=($(compgen -W "$names" -- "$current"))
}
complete -o filenames -F _keyturn keyturn
`;
}
