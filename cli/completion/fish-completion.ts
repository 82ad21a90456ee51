import { type CompletedCommand, type CompletedOption, flagsWithValue } from './command-tree.ts';
import { quote } from './quote.ts';

/** Inside single quotes fish knows backslashes. */
const quoted = (text: string): string => quote(text.replaceAll('\\', '\\\\'));

function valueFlags({ value }: CompletedOption): string {
  if (value === null) return '';
  if (value.kind === 'file') return ' -r -F';
  return value.kind === 'choice' ? ` -x -a ${quoted(value.choices.join(' '))}` : ' -x';
}

function linesOf({ path, subcommands, options, choices }: CompletedCommand): readonly string[] {
  const when = `complete -c keyturn -n ${quoted(`__keyturn_at ${quoted(path)}`)}`;
  return [
    ...subcommands.map(({ name, description }) => `${when} -f -a ${quoted(name)} -d ${quoted(description)}`),
    ...(choices.length === 0 ? [] : [`${when} -f -a ${quoted(choices.join(' '))}`]),
    ...options.map((option) => {
      const flags = option.flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
      return `${when} ${flags.join(' ')}${valueFlags(option)} -d ${quoted(option.description)}`;
    }),
  ];
}

/** A script for fish, from 3.0 on, to be sourced. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  return `# fish completion of keyturn. In ~/.config/fish/config.fish: keyturn completion fish | source
function __keyturn_at
    set -l command keyturn
    set -l option
    for word in (commandline -opc)[2..-1]
        if test -n "$option"
            set option
            continue
        end
        switch "$word"
            case ${flagsWithValue(commands).join(' ')}
                set option $word
            case '-*'
            case '*'
                switch "$command $word"
                    case ${commands
                      .slice(1)
                      .map(({ path }) => quoted(path))
                      .join(' ')}
                        set command "$command $word"
                end
        end
    end
    test "$command" = "$argv[1]"
end
complete -c keyturn -f
${commands.flatMap(linesOf).join('\n')}
`;
}
