import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// A repository whose configuration names a program wherever git would run one.
@Suite(
    "git runs nothing that a repository names", .serialized,
    .enabled(if: Programs.installed("git") != nil, "git is not installed"))
struct GitTrapTests {
    private let directory: TemporaryDirectory
    private var repository: String { directory.path + "/repository" }
    private var mark: String { directory.path + "/mark" }

    /// Two commits, a partial clone's missing object, a changed file, and a trap of each kind.
    init() throws {
        directory = try TemporaryDirectory()
        let script = """
            cd "$1"; mark="$1/mark"
            printf '#!/bin/sh\\necho "$0 $*" >> "%s"\\ncase $1 in clean|smudge|textconv) cat;; esac\\n' "$mark" > trap; chmod +x trap
            git init -q repository; cd repository
            git config user.email a@b; git config user.name n
            echo one > file; echo '* filter=trap diff=trap' > .gitattributes
            git add . ; git commit -qm one; echo two > file; git commit -qam two
            # A change that only the content shows.
            echo six > file
            mkdir sub
            for hook in post-index-change pre-commit reference-transaction fsmonitor-watchman; do
                cp "$1/trap" .git/hooks/$hook; done
            git config core.fsmonitor "$1/trap fsmonitor"
            git config core.sshCommand "$1/trap ssh"
            git config core.hooksPath "$1/repository/.git/hooks"
            git config core.pager "$1/trap pager"
            git config core.alternateRefsCommand "$1/trap alternates"
            git config pager.status true; git config pager.config true; git config pager.diff-tree true
            git config filter.trap.clean "$1/trap clean"
            git config filter.trap.smudge "$1/trap smudge"
            git config filter.trap.required true
            git config diff.trap.textconv "$1/trap textconv"
            git config diff.trap.command "$1/trap command"
            git config diff.external "$1/trap external"
            git config gpg.program "$1/trap gpg"; git config log.showSignature true
            git config alias.status "!$1/trap alias"; git config alias.diff-tree "!$1/trap alias"
            git config credential.helper "!$1/trap credential"
            git config remote.origin.url "ssh://host/path"
            git config remote.origin.promisor true; git config remote.origin.partialclonefilter blob:none
            git config extensions.partialClone origin; git config core.repositoryFormatVersion 1
            """
        let result = try runCommand(
            ["sh", "-ec", script, "sh", directory.path],
            environment: ["GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"])
        try #require(result.status == .code(0), "\(result.standardError)")
        if Files.exists(mark) { try Files.remove(mark) }
    }

    private func git(_ arguments: String...) throws {
        _ = try runCommand(["git", "-C", repository] + arguments)
    }

    /// What the traps wrote; empty when none was run.
    private func sprung() throws -> String {
        guard Files.exists(mark) else { return "" }
        defer { _ = Result { () throws(SystemError) in try Files.remove(mark) } }
        return String(decoding: try Files.read(mark, limit: 1 << 20), as: UTF8.self)
    }

    @Test("The traps work: plain git springs them")
    func control() throws {
        try git("status", "--porcelain")
        let status = try sprung()
        #expect(status.contains("fsmonitor") && status.contains("clean"), "\(status)")
        try git("diff", "HEAD~1", "HEAD")
        #expect(try sprung().contains("trap"))
        try git("cat-file", "-e", "0123456789012345678901234567890123456789")
        #expect(try sprung().contains("ssh"))
    }

    @Test("Each question is answered, and no trap is sprung")
    func questions() throws {
        let commit = GitCommand.output(of: ["rev-parse", "--verify", "HEAD"], in: repository)
        #expect(commit.value?.utf8.count == 41)
        let state = GitCommand.output(
            of: ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty"],
            in: repository)
        #expect(state.value == " M file\n", "\(state)")
        let names = GitCommand.output(
            of: ["diff-tree", "-r", "--name-only", "--no-renames", "-z", "HEAD~1", "HEAD"], in: repository)
        #expect(names.value == "file\0")
        let patch = GitCommand.output(
            of: [
                "diff-tree", "-r", "-p", "-U0", "--no-renames", "--no-color", "--no-ext-diff",
                "--no-textconv", "HEAD~1", "HEAD",
            ], in: repository)
        #expect(patch.value?.contains("-one\n+two\n") == true, "\(patch)")
        // An object that the partial clone lacks is not fetched.
        let missing = GitCommand.output(
            of: ["cat-file", "-e", "0123456789012345678901234567890123456789"], in: repository)
        #expect(missing.value == nil)
        #expect(try sprung() == "")
    }

    @Test("A program named git in the working directory, or below it, is not git")
    func path() throws {
        try Files.createDirectories(repository + "/bin")
        try Files.move(directory.path + "/trap", to: repository + "/git")
        _ = try runCommand(["cp", repository + "/git", repository + "/bin/git"])
        let tool = BuiltProduct.path("freeze-profile")
        let result = try runCommand(
            [
                tool, "capture", "--version", "v1", "--output", directory.path + "/v1.yaml", "--skip-warmup",
                "--stack-runs", "0", "--canaries", "0", "--", "/bin/true",
            ], environment: ["PATH": ":bin:.:/usr/local/bin:/usr/bin:/bin"], in: repository)
        #expect(result.status == .code(0), "\(result.standardError)")
        let profile = String(
            decoding: try Files.read(directory.path + "/v1.yaml", limit: 1 << 24), as: UTF8.self)
        #expect(profile.contains("git_dirty: true"), "\(profile)")
        #expect(try sprung() == "")
    }
}
