/// A shell's completion of a tool: it hands the words to `TOOL complete`, and shows what that answers.
public enum CompletionScript {
    /// A shell that we complete for.
    public enum Shell: String, CaseIterable, Sendable {
        case bash, zsh, fish
    }

    /// The script of a shell.
    public static func text(_ shell: Shell, tool: String) -> String {
        let template =
            switch shell {
            case .bash: bash
            case .zsh: zsh
            case .fish: fish
            }
        return template.replacing("TOOL", with: tool)
            .replacing("FUNCTION", with: "_" + tool.replacing("-", with: "_"))
    }

    // The scripts call the tool of that name on PATH, never the program that the line names: pressing Tab must not run
    // `./freeze-profile` in another user's directory.

    private static let bash = #"""
        # bash completion of TOOL; made by 'TOOL completion bash'
        FUNCTION() {
            local kind line word candidate current glued='' words=() lines=()
            COMPREPLY=()
            # bash takes --option=value apart at the equals sign.
            for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
                if [[ $word == '=' && ${#words[@]} -gt 0 && ${words[-1]} == --* ]]; then
                    words[-1]+='='
                    glued=yes
                elif [[ -n $glued ]]; then
                    words[-1]+=$word
                    glued=
                else
                    words+=("$word")
                fi
            done
            current=${words[-1]-}
            mapfile -t lines < <(command TOOL complete -- "${words[@]}" 2>/dev/null)
            kind=${lines[0]-}
            if [[ $current == --*=* ]]; then current=${current#*=}; fi
            case $kind in
                words)
                    for line in "${lines[@]:1}"; do
                        candidate=${line%%$'\t'*}
                        if [[ $candidate == --*=* ]]; then candidate=${candidate#*=}; fi
                        printf -v candidate '%q' "$candidate"
                        COMPREPLY+=("$candidate")
                    done
                    ;;
                files | directories)
                    compopt -o filenames 2>/dev/null
                    if [[ $kind == files ]]; then
                        mapfile -t COMPREPLY < <(compgen -f -- "$current")
                    else
                        mapfile -t COMPREPLY < <(compgen -d -- "$current")
                    fi
                    ;;
                command)
                    # The words after the first '--' are a command line of their own.
                    local index
                    for ((index = 1; index < COMP_CWORD; index++)); do
                        if [[ ${COMP_WORDS[index]} == -- ]]; then break; fi
                    done
                    if declare -F _command_offset >/dev/null; then
                        _command_offset $((index + 1))
                    elif ((index + 1 == COMP_CWORD)); then
                        compopt -o filenames 2>/dev/null
                        mapfile -t COMPREPLY < <(compgen -A command -- "$current")
                    else
                        compopt -o filenames 2>/dev/null
                        mapfile -t COMPREPLY < <(compgen -f -- "$current")
                    fi
                    ;;
            esac
        }
        complete -F FUNCTION TOOL

        """#

    private static let zsh = #"""
        #compdef TOOL
        # zsh completion of TOOL; made by 'TOOL completion zsh'
        FUNCTION() {
            local kind line word meaning
            local -a lines described
            lines=("${(@f)$(command TOOL complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
            kind=${lines[1]-}
            case $kind in
                words)
                    for line in "${(@)lines[2,-1]}"; do
                        word=${line%%$'\t'*}
                        meaning=
                        if [[ $line == *$'\t'* ]]; then meaning=${line#*$'\t'}; fi
                        described+=("${word//:/\\:}${meaning:+:$meaning}")
                    done
                    _describe -V TOOL described
                    ;;
                files | directories)
                    if [[ $PREFIX == --*=* ]]; then compset -P '*='; fi
                    if [[ $kind == files ]]; then _files; else _files -/; fi
                    ;;
                command)
                    # The words after the first '--' are a command line of their own.
                    local -i index=${words[(i)--]}
                    shift $index words
                    ((CURRENT -= index))
                    _normal
                    ;;
            esac
        }
        if [ "$funcstack[1]" = FUNCTION ]; then
            FUNCTION "$@"
        else
            compdef FUNCTION TOOL
        fi

        """#

    private static let fish = #"""
        # fish completion of TOOL; made by 'TOOL completion fish'
        function _FUNCTION
            set -l words (commandline -opc)
            set -e words[1]
            set -l current (commandline -ct)
            set -l lines (command TOOL complete -- $words "$current" 2>/dev/null)
            set -l prefix (string match -r -- '^--[^=]*=' "$current")
            set -l rest (string replace -r -- '^--[^=]*=' '' "$current")
            switch "$lines[1]"
                case words
                    if test (count $lines) -gt 1
                        printf '%s\n' $lines[2..-1]
                    end
                case files
                    set -l found (__fish_complete_path "$rest")
                    test (count $found) -gt 0; and printf "$prefix%s\n" $found
                case directories
                    set -l found (__fish_complete_directories "$rest" '')
                    test (count $found) -gt 0; and printf "$prefix%s\n" $found
                case command
                    # The words after the first '--' are a command line of their own.
                    set -l first (contains -i -- -- $words)
                    set -l command $words
                    set -e command[1..$first]
                    complete --do-complete (string join ' ' -- (string escape -- $command) "$current")
            end
        end
        complete -c TOOL -f -a '(_FUNCTION)'

        """#
}
