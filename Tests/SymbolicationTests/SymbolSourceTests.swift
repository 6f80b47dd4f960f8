import LinuxProcess
import LinuxSystem
import Measurement
import Symbolication
import Testing

@Suite("Where names come from")
struct SymbolSourceTests {
    private func expectNames(
        _ fixture: Fixture, of path: String, match functions: [Fixture.Listed], _ comment: Comment? = nil
    ) throws {
        let addresses = functions.flatMap {
            [$0.address, $0.address + $0.size / 2, $0.address + $0.size - 1]
        }
        let found = try fixture.symbolize(path, addresses)
        for function in functions {
            let names = Set(functions.filter { $0.address == function.address }.map(\.name))
            let inner = functions.filter {
                $0.address > function.address && $0.address < function.address + function.size
            }
            for address in [
                function.address, function.address + function.size / 2, function.address + function.size - 1,
            ]
            where !inner.contains(where: { $0.address <= address }) {
                let mangled = try #require(found[address]?.mangled, "\(function.name)")
                #expect(names.contains(mangled), comment)
                #expect(found[address]?.offset == address - function.address)
            }
        }
    }

    @Test(
        "Without debug information names come from .symtab, local functions included, and lines are missing")
    func symbolTableOnly() throws {
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-O2")
        let functions = try fixture.functions(of: path)
        #expect(functions.contains { $0.name == "hidden_work" && $0.isLocal })
        try expectNames(fixture, of: path, match: functions)
        let hidden = try #require(functions.first { $0.name == "hidden_work" })
        let found = try #require(try fixture.symbolize(path, [hidden.address])[hidden.address])
        #expect(found.function == .value("hidden_work"))
        #expect(found.position == nil)
        var symbolicator = try Symbolicator(try fixture.image(path))
        _ = symbolicator.symbolize([ImageAddress(hidden.address)])
        #expect(symbolicator.summary.hasDebugInformation == false)
        #expect(symbolicator.summary.named == 1)
        #expect(symbolicator.summary.located == 0)
    }

    @Test("A separate file found by its debug link brings names and lines", arguments: [".", ".debug"])
    func debugLink(directory: String) throws {
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-O2")
        let functions = try fixture.functions(of: path)
        try Files.createDirectories("\(fixture.directory)/\(directory)")
        try fixture.run("objcopy", "--only-keep-debug", "work", "\(directory)/work.debug")
        try fixture.run("objcopy", "--strip-all", "--add-gnu-debuglink=\(directory)/work.debug", "work")
        let hidden = try #require(functions.first { $0.name == "hidden_work" })
        var symbolicator = try Symbolicator(try fixture.image(path), options: .init(inlines: true))
        let all = symbolicator.symbolize((0..<hidden.size).map { ImageAddress(hidden.address + $0) })
        #expect(all.values.allSatisfy { $0.function == .value("hidden_work") && $0.line != nil })
        #expect(all.values.contains { $0.inlined.map(\.function) == ["square", "sum_of_squares"] })
        #expect(symbolicator.summary.debugFile?.hasSuffix("work.debug") == true)
        try expectNames(fixture, of: path, match: functions)
    }

    @Test("A debug link that leads to a named pipe is not followed", .timeLimit(.minutes(1)))
    func debugLinkToPipe() throws {
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-O2")
        try fixture.run("objcopy", "--only-keep-debug", "work", "work.debug")
        try fixture.run("objcopy", "--strip-all", "--add-gnu-debuglink=work.debug", "work")
        try Files.remove(fixture.directory + "/work.debug")
        try fixture.run("mkfifo", "work.debug")
        let found = try fixture.symbolize(path, [0x1000])
        #expect(found.count == 1)
    }

    @Test("A debug file of another build is not used")
    func otherBuild() throws {
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-O2")
        let hidden = try #require(try fixture.functions(of: path).first { $0.name == "hidden_work" })
        _ = try fixture.compile("gcc", "work.c", to: "other", "-g", "-O1")
        try fixture.run("objcopy", "--only-keep-debug", "other", "work.debug")
        try fixture.run("objcopy", "--only-keep-debug", "other", "link.debug")
        try fixture.run("objcopy", "--strip-all", "--add-gnu-debuglink=link.debug", "work")
        let found = try #require(try fixture.symbolize(path, [hidden.address])[hidden.address])
        #expect(found.function == .unavailable(reason: "the file has no symbols"))
    }

    @Test("A stripped library has its exported names; the rest is unavailable, not guessed")
    func dynamicSymbols() throws {
        let fixture = try Fixture()
        let path = try fixture.compile(
            "gcc", "work.c", to: "libwork.so", "-O2", "-shared", "-fPIC", "-DLIBRARY")
        let hidden = try #require(try fixture.functions(of: path).first { $0.name == "hidden_work" })
        try fixture.run("strip", "libwork.so")
        let exported = try fixture.functions(of: path, "-D")
        #expect(exported.map(\.name).contains("exported_work"))
        try expectNames(fixture, of: path, match: exported)
        let found = try #require(try fixture.symbolize(path, [hidden.address])[hidden.address])
        #expect(found.function.unavailableReason == "no symbol of the file covers the address")
        #expect(found.key == nil)
    }

    @Test("The compressed symbol table in .gnu_debugdata names local functions of a stripped file")
    func miniDebugInformation() throws {
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-O2")
        let hidden = try #require(try fixture.functions(of: path).first { $0.name == "hidden_work" })
        try fixture.run("objcopy", "-S", "--keep-symbol=hidden_work", "work", "mini")
        try fixture.run("xz", "mini")
        try fixture.run("strip", "work")
        try fixture.run("objcopy", "--add-section", ".gnu_debugdata=mini.xz", "work")
        let found = try #require(try fixture.symbolize(path, [hidden.address + 1])[hidden.address + 1])
        #expect(found.function == .value("hidden_work"))
        #expect(found.offset == 1)
    }

    @Test("A static position-independent program is named like any other")
    func staticPIE() throws {
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-O2", "-static-pie")
        let functions = try fixture.functions(of: path)
        #expect(functions.count > 500)
        try expectNames(
            fixture, of: path, match: functions.filter { $0.name == "hidden_work" || $0.name == "main" })
        let sample = functions.enumerated().filter { $0.offset % 7 == 0 }.map { $0.element.address }
        let found = try fixture.symbolize(path, sample)
        #expect(found.values.allSatisfy { $0.function.value != nil })
    }

    @Test("Several names of one function: exported before local, without underscores, shorter")
    func aliases() throws {
        let fixture = try Fixture()
        let libc = try #require(
            try MemoryMapping.ofProcess(CurrentProcess.pid).first { $0.path.hasSuffix("/libc.so.6") }?.path)
        let exported = try fixture.functions(of: libc, "-D")
        let malloc = try #require(exported.first { $0.name.hasPrefix("malloc@@") })
        let read = try #require(exported.first { $0.name.hasPrefix("read@@") })
        let found = try fixture.symbolize(libc, [malloc.address, read.address])
        #expect(found[malloc.address]?.function == .value("malloc"))
        #expect(found[read.address]?.function == .value("read"))
    }

    @Test("The vdso is read from memory")
    func vdso() throws {
        let mapping = try #require(
            try MemoryMapping.ofProcess(CurrentProcess.pid).first { $0.path == "[vdso]" })
        let start = try #require(UnsafeRawPointer(bitPattern: UInt(mapping.start.value)))
        let bytes = [UInt8](
            UnsafeRawBufferPointer(start: start, count: Int(mapping.end.value - mapping.start.value)))
        let fixture = try Fixture()
        try Files.replace(fixture.directory + "/vdso.so", with: bytes)
        let listed = try fixture.functions(of: fixture.directory + "/vdso.so", "-D")
        let clock = try #require(listed.first { $0.name.hasPrefix("__vdso_clock_gettime") })
        let image = ProgramImage(path: "[vdso]", buildID: nil, content: .memory(bytes))
        let named = SymbolizedImage(image, [ImageAddress(clock.address + 2)])
        #expect(named.addresses[ImageAddress(clock.address + 2)]?.function == .value("clock_gettime"))
        #expect(named.failure == nil)
    }

    @Test("A file that was deleted or replaced is read as it was opened in time")
    func replacedFile() throws {
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-gz", "-O2")
        let hidden = try #require(try fixture.functions(of: path).first { $0.name == "hidden_work" })
        let image = try fixture.image(path)
        try Files.remove(path)
        for step in ["deleted", "replaced"] {
            var symbolicator = try Symbolicator(image, options: .init(inlines: true))
            let found = symbolicator.symbolize([ImageAddress(hidden.address)])
            #expect(found[ImageAddress(hidden.address)]?.function == .value("hidden_work"), "\(step)")
            #expect(found[ImageAddress(hidden.address)]?.line != nil)
            _ = try fixture.compile("gcc", "work.c", to: "work", "-O1")
        }
    }

    @Test("Nothing is asked of a debuginfod server, and its client not loaded, unless the user has named one")
    func noNetwork() async throws {
        try #require(
            CurrentProcess.environmentVariable("DEBUGINFOD_URLS") == nil,
            "unset DEBUGINFOD_URLS for this test")
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-O2")
        try fixture.run("strip", "work")
        // In a process of its own: what is loaded once stays loaded.
        await #expect(processExitsWith: .success) { [path = path as String] in
            let file = try OpenFile(path)
            let image = ProgramImage(path: path, buildID: try ElfImage(file).buildID, content: .file(file))
            let named = SymbolizedImage(image, [ImageAddress(0x1060)])
            try #require(named.failure == nil)
            let mapped = try MemoryMapping.ofProcess(CurrentProcess.pid).map(\.path)
            try #require(mapped.contains { $0.contains("/libdw") })
            try #require(!mapped.contains { $0.contains("/libdebuginfod") })
        }
    }

    @Test("What cannot be read is said in a sentence, and every address says why")
    func failures() throws {
        let gone = ProgramImage(
            path: "//anon", buildID: nil, content: .unavailable(reason: "memory without a file"))
        let named = SymbolizedImage(gone, [ImageAddress(16), ImageAddress(32)])
        #expect(named.failure == "Cannot name functions of '//anon': memory without a file.")
        #expect(named.addresses.count == 2)
        #expect(named.addresses[ImageAddress(16)]?.function == .unavailable(reason: "memory without a file"))
        let text = ProgramImage(
            path: "/bin/x\u{1B}[2J", buildID: nil, content: .memory(Array("#!/bin/sh".utf8)))
        #expect(
            SymbolizedImage(text, [ImageAddress(1)]).failure
                == "Cannot name functions of '/bin/x\u{FFFD}[2J': not an ELF file.")
        let fixture = try Fixture()
        let object = try fixture.compile("gcc", "work.c", to: "work.o", "-c")
        #expect(
            SymbolizedImage(try fixture.image(object), [ImageAddress(1)]).failure
                == "Cannot name functions of '\(object)': neither a program nor a shared library.")
    }

    @Test("A header without segments, which libdwfl does not survive, is refused")
    func withoutSegments() throws {
        let fixture = try Fixture()
        var bytes = try Files.read(fixture.compile("gcc", "work.c", to: "work", "-O2"), limit: 1 << 24)
        // e_phnum
        bytes[56] = 0
        bytes[57] = 0
        let image = ProgramImage(path: "damaged", buildID: nil, content: .memory(bytes))
        #expect(
            SymbolizedImage(image, [ImageAddress(1)]).failure
                == "Cannot name functions of 'damaged': no part of it is loaded into memory.")
    }

    @Test("An address outside all code is unavailable")
    func outside() throws {
        let fixture = try Fixture()
        let path = try fixture.compile("gcc", "work.c", to: "work", "-g", "-O2")
        let found = try fixture.symbolize(path, [0, 0x7FFF_FFFF_FFFF, .max])
        for address in found.values {
            #expect(address.function == .unavailable(reason: "the address lies in no code of the file"))
            #expect(address.position == nil)
        }
    }
}
