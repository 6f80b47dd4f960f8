internal import FrozenProfile
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import MessageDigest

/// The variables of the environment that a recipe names, each with a digest of its value: values may be secret, and what matters
/// is whether they are the same.
enum RecipeEnvironment {
    /// Variables of the user's session, terminal, desktop, shell and tools, not of what a pipeline does.
    private static let personal: Set<String> = [
        "BROWSER", "CI", "CLICOLOR_FORCE", "COLORFGBG", "COLORTERM", "COLUMNS", "CONDA_PROMPT_MODIFIER",
        "CONDA_SHLVL", "DESKTOP_SESSION", "DESKTOP_STARTUP_ID", "DISPLAY", "EDITOR", "EMAIL",
        "EXECUTOR_NUMBER", "FORCE_COLOR", "GDMSESSION", "HOME", "HOSTNAME", "INFOPATH", "INPUTRC",
        "INSIDE_EMACS", "INVOCATION_ID", "JOURNAL_STREAM", "KRB5CCNAME", "LESS", "LESSCHARSET", "LESSCLOSE",
        "LESSHISTFILE", "LESSOPEN", "LINES", "LOGNAME", "LS_COLORS", "MAIL", "MAILCHECK", "MAKEFLAGS",
        "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMERR", "MAKE_TERMOUT", "MANAGERPID", "MANPAGER", "MANPATH",
        "MFLAGS",
        "MOTD_SHOWN", "NOTIFY_SOCKET", "NO_COLOR", "OLDPWD", "PAGER", "PATH", "PIPELINE_OUTPUT_DIR",
        "PIPELINE_STATUS_FILE", "PROMPT", "PROMPT_COMMAND", "PS1", "PS2", "PS3", "PS4", "PWD", "RPROMPT",
        "SESSION_MANAGER", "SHELL", "SHELL_SESSION_ID", "SHLVL", "STY", "TERM", "TERMCAP", "TMPDIR", "TMUX",
        "TMUX_PANE", "TTY", "USER", "VIRTUAL_ENV_PROMPT", "VISUAL", "WINDOW", "WINDOWID", "WINDOWPATH",
        "WORKSPACE", "XAUTHORITY", "_",
    ]
    private static let personalPrefixes = [
        "AGENT_", "ALACRITTY_", "BASH_FUNC_", "BUILD_", "BYOBU_", "CI_", "DBUS_", "DIRENV_", "FISH_",
        "FREEZE_PROFILE_", "FZF_", "GIT_", "GITHUB_", "GNOME_", "GPG_", "HIST", "ITERM_", "JOB_", "KDE_",
        "KITTY_", "KONSOLE_", "LC_TERMINAL", "LOOPBACK_", "MC_", "NVIM", "RUNNER_", "SLURM", "SSH_",
        "STARSHIP_",
        "SUDO_", "SYSTEMD_", "TERM_", "TILIX_", "VIM", "VSCODE_", "VTE_", "WAYLAND_", "WEZTERM_", "WSL",
        "WT_", "XDG_", "XTERM_", "ZELLIJ", "ZSH_",
    ]

    /// The variables of a recipe, in order of name.
    ///
    /// - Parameters:
    ///   - named: Those that the user named, set or not.
    ///   - own: Our environment, as `NAME=value`.
    ///   - login: The environment that the session began with. What differs from it is among them, for it
    ///     was set later.
    static func variables(
        named: [String], own: [String], login: Reading<[String: String]>
    ) -> [Recipe.Variable] {
        let values = CurrentProcess.variables(of: own)
        var names = Set(named)
        if let login = login.value {
            for (name, value) in values where login[name] != value && !isPersonal(name) { names.insert(name) }
        }
        return variables(names, values)
    }

    /// The variables that the session began with, without those about where and how the user works, in order of name: another
    /// session may have set one of them later, to the same value. All, where it is not known what the session began with.
    static func ofLogin(
        own: [String], login: Reading<[String: String]>
    ) -> [Recipe.Variable] {
        let values = CurrentProcess.variables(of: own)
        return variables(
            values.keys.filter { name in
                !isPersonal(name) && (login.value.map { $0[name] == values[name] } ?? true)
            }, values)
    }

    private static func variables(
        _ names: some Sequence<String>, _ values: [String: String]
    ) -> [Recipe.Variable] {
        names.sorted().map { name in
            Recipe.Variable(
                name: PlainText.sanitized(name, maximumCharacters: 200), value: text(name, values[name]))
        }
    }

    private static func isPersonal(_ name: String) -> Bool {
        personal.contains(name) || personalPrefixes.contains { name.hasPrefix($0) }
    }

    private static func text(_ name: String, _ value: String?) -> String {
        guard let value else { return Recipe.Variable.unset }
        // The digest of a short secret could be searched for.
        if SecretRedaction(["\(name)=\(value)"]).count > 0 { return SecretRedaction.mark }
        return "sha256:\(SHA256.hexadecimal(of: Array(value.utf8)).prefix(32))"
    }

    /// The recipe's variables now, and those of the login.
    static func now(named: [String]) -> (recipe: [Recipe.Variable], login: [Recipe.Variable]) {
        let (own, login) = (CurrentProcess.environment, LoginEnvironment.read())
        return (variables(named: named, own: own, login: login), ofLogin(own: own, login: login))
    }
}
