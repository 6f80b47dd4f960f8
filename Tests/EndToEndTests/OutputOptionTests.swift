import FrozenProfile
import LinuxProcess
import LinuxSystem
import ProfileStore
import TestSupport
import Testing

/// Every option that names an output, and every command that prints data, on what is no regular file.
@Suite("Output options")
struct OutputOptionTests {
    let shelf: Shelf

    init() throws {
        shelf = try Shelf()
        try shelf.add("v1")
        try shelf.add("v2", date: "2026-02-11T14:20:00Z")
        try Files.replace("\(shelf.directory.path)/in.folded", with: "main;work 3\n")
    }

    /// Commands that write what `$OUT` names, as words of a shell. `$P` is the directory of the profiles.
    static let writing: [String: String] = [
        "render": "render $P/in.folded --format folded -o $OUT",
        "sample":
            "sample --sampler native --format folded -o $OUT -- sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'",
        "diff": "diff v1 v2 --profiles $P --allow git_dirty --format markdown -o $OUT",
        "report": "report v1 --profiles $P -o $OUT",
        "history": "history --profiles $P --svg $OUT",
        "export": "export --profiles $P -o $OUT",
        "freeze": "freeze --version v3 $P/records --output $OUT",
    ]
    /// Commands that print data.
    static let printing: [String: String] = [
        "render": "render $P/in.folded --format folded -o -",
        "diff": "diff v1 v2 --profiles $P --allow git_dirty --json",
        "report": "report v1 --profiles $P -o -",
        "history": "history --profiles $P",
        "history picture": "history --profiles $P --svg -",
        "export": "export --profiles $P",
        "list": "list --profiles $P",
        "list as JSON": "list --profiles $P --json",
        "verify": "verify v1 --profiles $P",
        "doctor": "doctor",
        "help": "--help",
        "help of a command": "diff --help",
    ]

    private func shell(_ script: String, output: String = "") throws -> CommandResult {
        try runCommand(
            ["bash", "-c", "T='\(BuiltProduct.path("freeze-profile"))'; \(script)"],
            environment: ["P": shelf.directory.path, "OUT": output], in: shelf.directory.path)
    }

    @Test(
        "A link stays a link, and the file behind it keeps its permissions", arguments: writing.keys.sorted())
    func link(command: String) throws {
        let words = try #require(Self.writing[command])
        // A profile's file has to be a new one: nothing that is frozen is replaced unasked.
        let isNew = command == "freeze"
        if isNew { try copyRecords() }
        let result = try shell(
            (isNew ? "" : "echo old >target.yaml; chmod 600 target.yaml; ")
                + "ln -s target.yaml $OUT; $T \(words); s=$?; stat -c '%F' $OUT; stat -c '%a' target.yaml; exit $s",
            output: "\(shelf.directory.path)/link.yaml")
        // What a comparison finds is another matter, and that the file behind the link is no profile is for 'export' to say.
        let ends = Set([0, 2, 3] + (command == "export" ? [66] : [])).map { LinuxProcess.ExitStatus.code($0) }
        #expect(ends.contains(result.status), "\(result.standardError)")
        #expect(result.standardOutput.contains("symbolic link\n"))
        if !isNew { #expect(result.standardOutput.contains("600\n")) }
        let written = try Files.read("\(shelf.directory.path)/target.yaml", limit: 1 << 24)
        #expect(written.count > 4 && written != Array("old\n".utf8))
    }

    @Test("A FIFO gets the data and stays a FIFO", arguments: writing.keys.sorted())
    func fifo(command: String) throws {
        let words = try #require(Self.writing[command])
        if command == "freeze" { try copyRecords() }
        let result = try shell(
            "mkfifo $OUT; timeout 60 cat $OUT >got & $T \(words); s=$?; wait; stat -c %F $OUT; exit $s",
            output: "\(shelf.directory.path)/pipe")
        // What a comparison finds is another matter.
        #expect([.code(0), .code(2), .code(3)].contains(result.status), "\(result.standardError)")
        #expect(result.standardOutput.contains("fifo\n"))
        #expect(try Files.size("\(shelf.directory.path)/got") > 4)
    }

    @Test("/dev/stdout and >(command) get what standard output gets")
    func descriptors() throws {
        let words = "render $P/in.folded --format folded -o"
        #expect(
            try shell("echo before >f; $T \(words) /dev/stdout >>f; cat f").standardOutput
                == "before\nmain;work 3\n")
        #expect(try shell("$T \(words) >(cat >g); wait $!; cat g").standardOutput == "main;work 3\n")
    }

    @Test("Data that meets a full disk ends in exit code 73", arguments: printing.keys.sorted())
    func fullDisk(command: String) throws {
        let words = try #require(Self.printing[command])
        let result = try shell("$T \(words) >/dev/full")
        #expect(result.status == .code(73))
        #expect(
            result.standardError.contains("Cannot write to standard output: No space left on device."),
            "\(result.standardError)")
    }

    @Test("A reader that has gone is no failure", arguments: ["list", "render", "diff"])
    func readerGone(command: String) throws {
        let words = try #require(Self.printing[command])
        let result = try shell("mkfifo p; exec 3<>p; $T \(words) | true; echo ${PIPESTATUS[0]}")
        #expect(result.standardOutput != "73\n", "\(result.standardError)")
    }

    @Test("Descriptors that the caller has closed are no obstacle")
    func closedDescriptors() throws {
        let capture =
            "$T capture --version v9 --output $P/v9.yaml --canaries 0 --stack-runs 0 --skip-warmup -- true"
        let result = try shell("\(capture) >&- 2>&- <&-; echo $?; ls v9.yaml")
        #expect(result.standardOutput == "0\nv9.yaml\n")
    }

    @Test("capture writes the profile alone to a stream")
    func captureToStream() throws {
        let result = try shell(
            "$T capture --version v9 --output - --records $P/r --canaries 0 --stack-runs 0 --skip-warmup -- true"
        )
        #expect(result.status == .code(0), "\(result.standardError)")
        try Files.replace("\(shelf.directory.path)/v9.yaml", with: result.standardOutput)
        let profile = try ProfileStore.load(path: "\(shelf.directory.path)/v9.yaml")
        #expect(profile.release == "v9" && profile.companions.isEmpty)
    }

    /// Records for `freeze`, of a run made for the purpose.
    private func copyRecords() throws {
        let made = try shell(
            "$T capture --version v8 --output $P/v8.yaml --records $P/records --canaries 0 --stack-runs 0 "
                + "--skip-warmup -- true")
        #expect(made.status == .code(0), "\(made.standardError)")
    }
}

/// Arguments, environment and directories that are no UTF-8.
@Suite("Bytes that are no UTF-8, through the tools")
struct NativeBytesTests {
    @Test("a command gets its arguments, environment and directories unchanged")
    func unchanged() throws {
        let directory = try TemporaryDirectory()
        let script = """
            cd '\(directory.path)'; mkdir $'d\\xe9'; cd $'d\\xe9'
            export VALUE=$'v\\xe9'
            T='\(BuiltProduct.path("freeze-profile"))'
            inner='printf "%s|%s|%s" "$1" "$VALUE" "$PIPELINE_OUTPUT_DIR" >>../seen; echo >>../seen'
            $T monitor --output-dir $'o\\xe9' -- sh -c "$inner" sh $'caf\\xe9' 2>/dev/null
            $T capture --version v1 --output v1.yaml --output-dir $'c\\xe9' --canaries 0 --runs 1 --stack-runs 0 --skip-warmup \
              -- sh -c "$inner" sh $'caf\\xe9' 2>/dev/null >/dev/null || echo failed
            $T sample --sampler native --format folded -o out -- sh -c "$inner" sh $'caf\\xe9' 2>/dev/null
            cd ..; ls | od -An -c; grep -c -a $'^caf\\xe9|v\\xe9|' seen; ls $'d\\xe9' | grep -c -a $'^[oc]\\xe9$'
            """
        let result = try runCommand(["bash", "-c", script], environment: ["LC_ALL": "C"])
        let lines = result.standardOutput.split(separator: "\n").map { $0.filter { $0 != " " } }
        // One directory, by its own bytes, and in it both output directories.
        #expect(lines == ["d351\\nseen\\n", "3", "2"], "\(result.standardOutput) \(result.standardError)")
    }
}
