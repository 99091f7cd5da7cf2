/** `gsup completion SHELL`: what a shell can complete, from the tables of commands and options. Pure. */
import { EXIT } from '../signals/exit-codes.ts';
import { COMMANDS, type CommandRow } from './commands.ts';
import { quote } from './messages.ts';
import { isForRun, isForUp, type OptionRow } from './option-row.ts';
import { OPTION_ROWS } from './options.ts';
import { failure, type Outcome, success } from './output.ts';

/** An option as a shell knows it. */
interface Flag {
  readonly long: string;
  readonly short: string | undefined;
  readonly takesValue: boolean;
  readonly help: string;
}

interface Word {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
}

const SCRIPTS = { bash, zsh, fish } as const;
export const SHELLS = Object.keys(SCRIPTS);

export function completion(shell: string | undefined): Outcome {
  if (shell !== undefined && Object.hasOwn(SCRIPTS, shell))
    return success(SCRIPTS[shell as keyof typeof SCRIPTS](COMMANDS.map(wordOf), COMMON));
  const got = shell === undefined ? 'nothing' : `"${quote(shell)}"`;
  return failure(EXIT.usage, `cannot complete: bash, zsh or fish is needed, got ${got}`);
}

const COMMON: readonly Flag[] = OPTION_ROWS.filter((row) => row.common).map(flagOf);

function flagOf({ long, short, kind, help }: OptionRow): Flag {
  return { long, short, takesValue: kind !== 'flag', help };
}

function wordOf({ name, summary, takes, options = [] }: CommandRow): Word {
  const isIts = takes === 'up' ? isForUp : isForRun;
  const rows = takes === undefined ? [] : OPTION_ROWS.filter((row) => !row.common && isIts(row));
  const own = options.map(({ long, short, value, help }) => ({
    long,
    short,
    takesValue: value !== undefined,
    help,
  }));
  return { name, summary, flags: [...own, ...rows.map(flagOf), ...COMMON] };
}

function bash(words: readonly Word[], common: readonly Flag[]): string {
  const cases = words.map(({ name, flags }) => `    ${name}) words='${spellings(flags).join(' ')}' ;;`);
  const valued = [
    ...new Set(words.flatMap(({ flags }) => spellings(flags.filter((each) => each.takesValue)))),
  ];
  return `# bash completion of gsup: source <(gsup completion bash)
_gsup() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= words= word skip=
  COMPREPLY=()
  case $before in
    ${valued.join('|')}) return ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [ -n "$skip" ]; then skip=; continue; fi
    case $word in
      ${spellings(common.filter((each) => each.takesValue)).join('|')}) skip=1 ;;
      -*) ;;
      *) command=$word; break ;;
    esac
  done
  case $command in
    '') words='${[...words.map(({ name }) => name), ...spellings(common)].join(' ')}' ;;
${cases.join('\n')}
  esac
  if [ -z "$command" ] || [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"); fi
}
complete -o bashdefault -o default -F _gsup gsup
`;
}

function spellings(flags: readonly Flag[]): string[] {
  return flags.flatMap(({ long, short }) =>
    short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`],
  );
}

function zsh(words: readonly Word[], common: readonly Flag[]): string {
  const described = words.map(({ name, summary }) => `    ${single(`${name}:${summary}`)}`);
  const cases = words.map(
    ({ name, flags }) => `    ${name}) _arguments ${flags.map(zshFlag).join(' ')} '*:file:_files' ;;`,
  );
  return `#compdef gsup
# zsh completion of gsup: gsup completion zsh > "\${fpath[1]}/_gsup"
_gsup() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
${described.join('\n')}
  )
  _arguments -C ${common.map(zshFlag).join(' ')} '1:command:->command' '*::word:->words'
  case $state in
    command) _describe command commands ;;
    words) case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}
_gsup "$@"
`;
}

function zshFlag({ long, short, takesValue, help }: Flag): string {
  const text = `[${help.replace(/[[\]\\:]/g, '\\$&')}]${takesValue ? ':value:' : ''}`;
  const names = short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`];
  return names.map((name) => single(`*${name}${text}`)).join(' ');
}

/** Not with `__fish_seen_subcommand_from`: the value of an option, or the name of a process, may be that of a command. */
function fish(words: readonly Word[], common: readonly Flag[]): string {
  const isTyped = (name: string) => single(`__gsup_command_is "${name}"`);
  const names = words.map(
    ({ name, summary }) => `complete -c gsup -f -n ${isTyped('')} -a ${name} -d ${single(summary)}`,
  );
  const flags = (command: string, list: readonly Flag[]) =>
    list.map(({ long, short, takesValue, help }) =>
      [
        'complete -c gsup',
        `-n ${isTyped(command)}`,
        `-l ${long}`,
        ...(short === undefined ? [] : [`-s ${short}`]),
        ...(takesValue ? ['-r'] : []),
        `-d ${single(help)}`,
      ].join(' '),
    );
  return `# fish completion of gsup: gsup completion fish | source
function __gsup_command_is
  set -l skip
  set -l command
  for word in (commandline -opc)[2..-1]
    if test -n "$skip"
      set skip
      continue
    end
    switch $word
      case ${spellings(common.filter((each) => each.takesValue)).join(' ')}
        set skip yes
      case '-*'
      case '*'
        set command $word
        break
    end
  end
  test "$command" = "$argv[1]"
end
${[...names, ...flags('', common), ...words.flatMap((word) => flags(word.name, word.flags))].join('\n')}
`;
}

/** One word for any of the three: what stands in quotes is not looked at, and a quote ends, is escaped, and begins again. */
function single(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
