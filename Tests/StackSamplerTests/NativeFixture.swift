import LinuxProcess
import LinuxSystem
import StackSampler
import Testing

/// A C program from Tests/Fixtures/native, compiled for a test, with its functions as `nm` lists them.
struct NativeFixture {
    let path: String
    /// Addresses and sizes by name: from binutils, so independent of the code under test.
    let functions: [String: Range<UInt64>]

    /// Compiles `name.c` with some flags; the result is removed by `remove`.
    init(_ name: String, flags: [String] = ["-O1"], compiler: String = "gcc") throws {
        let sources = Files.directory(of: Files.directory(of: #filePath)) + "/Fixtures/native"
        let directory = try Files.createTemporaryDirectory(prefix: "/tmp/freeze-profile-fixture-")
        path = "\(directory)/\(name)"
        let compiled = try Self.output(
            [compiler] + flags + ["-pthread", "-o", path, "\(sources)/\(name).c"])
        try #require(compiled.status == .code(0), "\(compiler) could not compile \(name).c")
        var functions: [String: Range<UInt64>] = [:]
        for line in try Self.output(["nm", "-S", path]).text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count == 4, fields[2].lowercased() == "t" || fields[2] == "i",
                let start = UInt64(fields[0], radix: 16), let size = UInt64(fields[1], radix: 16)
            else { continue }
            functions[String(fields[3])] = start..<start + size
        }
        self.functions = functions
    }

    func remove() throws {
        try Files.removeTree(Files.directory(of: path))
    }

    /// Runs a program to its end and returns what it printed.
    static func output(_ arguments: [String]) throws -> (text: String, status: LinuxProcess.ExitStatus) {
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest(arguments)
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        var child = try ChildProcess.start(request)
        let text = try readAll(pipe.takeReadEnd())
        let outcome = try #require(try child.wait(timeout: .seconds(60)))
        return (text, outcome.status)
    }

    static func readAll(_ descriptor: consuming FileDescriptor) throws -> String {
        var bytes: [UInt8] = []
        while true {
            let chunk = try descriptor.read(upTo: 1 << 16)
            if chunk.isEmpty { break }
            bytes += chunk
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Runs the program with arguments under the sampler.
    func sample(
        _ arguments: [String], _ configuration: SamplerConfiguration = SamplerConfiguration()
    ) throws -> SampledRun {
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest([path] + arguments)
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        let suspended = try SuspendedChild.prepare(request)
        let sampler = try PerfSampler.attach(to: suspended, configuration)
        var child = try suspended.release()
        let output = try Self.readAll(pipe.takeReadEnd())
        let outcome = try #require(try child.wait(timeout: .seconds(60)))
        return SampledRun(
            profile: sampler.finish(), fixture: self, output: output, status: outcome.status)
    }
}

/// What a run under the sampler gave, with frames recognised by the names that `nm` has for them.
struct SampledRun {
    let profile: RawProfile
    let fixture: NativeFixture
    let output: String
    let status: LinuxProcess.ExitStatus

    /// The function of the fixture at a frame; `[image]` for code elsewhere.
    func name(_ frameIndex: Int32) -> String {
        let frame = profile.frames[Int(frameIndex)]
        guard let imageIndex = frame.imageIndex else { return "[no file]" }
        let image = profile.images[imageIndex]
        guard image.path == fixture.path, case .image(let address) = frame.lookupAddress else {
            return "[\(image.name)]"
        }
        return fixture.functions.first { $0.value.contains(address.value) }?.key ?? "[?]"
    }

    /// The names of a sample's stack, leaf first.
    func names(_ sample: RawSample) -> [String] {
        profile.stacks[Int(sample.stackIndex)].frames.map { name($0) }
    }

    func end(_ sample: RawSample) -> RawStacks.End { profile.stacks[Int(sample.stackIndex)].end }

    /// One sample for each distinct stack among some: what is wrong with one is wrong with all.
    func distinct(_ samples: [RawSample]) -> [RawSample] {
        var seen: Set<Int32> = []
        return samples.filter { seen.insert($0.stackIndex).inserted }
    }

    /// Samples whose stack goes through a function of the fixture.
    func samples(through function: String) -> [RawSample] {
        profile.samples.filter { names($0).contains(function) }
    }
}
