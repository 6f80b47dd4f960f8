import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// The files in docs/ci, as far as they can be tried without their services.
@Suite("Files for CI")
struct CIFilesTests {
    private static let files = "\(BuiltProduct.packageDirectory)/docs/ci"
    private static let counts = Programs.installed("qemu-" + CurrentProcess.kernel.machine) != nil
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func shell(_ line: String) throws -> CommandResult {
        let path = "\(Files.directory(of: BuiltProduct.path("freeze-profile"))):/usr/local/bin:/usr/bin:/bin"
        return try runCommand(
            ["sh", "-ec", line],
            environment: [
                "PATH": path, "RUNS": "1", "OUTPUT": "\(directory.path)/out", "HOME": directory.path,
                "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
                "GIT_COMMITTER_EMAIL": "a@example.org",
            ], in: directory.path, timeout: .seconds(300))
    }

    @Test(
        "A commit is compared with another one, and only a regression fails the job",
        .enabled(if: counts, "qemu-user is not installed"))
    func compare() throws {
        let made = try shell(
            """
            git init -q repository && cd repository
            printf '#!/bin/sh\\ni=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done\\n' >pipeline
            chmod +x pipeline && git add . && git commit -qm 1
            printf '#!/bin/sh\\ni=0; while [ $i -lt 4000 ]; do i=$((i + 1)); done\\n' >pipeline
            git commit -qam 2
            """)
        try #require(made.status == .code(0), "\(made.standardError)")
        let slower = try shell("cd repository && \(Self.files)/compare HEAD~1 -- ./pipeline")
        #expect(slower.status == .code(1), "\(slower.standardOutput)\(slower.standardError)")
        #expect(slower.standardOutput.contains("more instructions"))
        // The tree of the other commit is gone, and git knows of no other.
        #expect(try shell("cd repository && git worktree list | wc -l").standardOutput.contains("1"))
        let same = try shell("cd repository && \(Self.files)/compare HEAD -- ./pipeline")
        #expect(same.status == .code(0), "\(same.standardOutput)\(same.standardError)")
        let wrong = try shell("cd repository && \(Self.files)/compare nothing -- ./pipeline")
        #expect(wrong.status == .code(128) && wrong.standardError.contains("nothing"))
        #expect(try shell("\(Self.files)/compare HEAD ./pipeline").status == .code(64))
    }

    @Test("The files for GitHub and GitLab are YAML, and call the script that is there")
    func yaml() throws {
        let python = "\(BuiltProduct.packageDirectory)/.build/test-venv/bin/python3"
        let script = """
            import sys, yaml
            def words(node):
                if isinstance(node, dict): node = list(node.values())
                return [w for n in node for w in words(n)] if isinstance(node, list) else str(node).split()
            for name in sys.argv[1:]:
                print(sorted(w for w in set(words(yaml.safe_load(open(name)))) if w.startswith('docs/ci/')))
            """
        let result = try runCommand(
            [python, "-c", script, "\(Self.files)/github.yml", "\(Self.files)/gitlab-ci.yml"])
        #expect(
            result.standardOutput == "['docs/ci/compare']\n['docs/ci/compare']\n", "\(result.standardError)")
    }

    @Test("Every line of doctor has its remedy in Troubleshooting")
    func doctor() throws {
        let page = String(
            decoding: try Files.read(
                "\(BuiltProduct.packageDirectory)/docs/troubleshooting.md", limit: 1 << 20),
            as: UTF8.self)
        let report = try runCommand([BuiltProduct.path("freeze-profile"), "doctor", "--json"])
        let names = report.standardOutput.matches(of: /\{"name": "([a-z_]+)"/).map { String($0.output.1) }
        #expect(names.count > 8)
        for name in names { #expect(page.contains("| `\(name)` |"), "\(name)") }
    }
}
