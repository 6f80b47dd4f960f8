import Glibc
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import LinuxProcess

@Suite("/proc")
struct ProcTests {
    @Test("A name with parentheses, spaces and line ends does not shift the fields")
    func hostileName() throws {
        let rest = "S 77 1 1 0 -1 0 0 0 0 0 1 2 30 4 20 0 3 0 12345 1000 50 18446744073709551615"
        let stat = try #require(ProcessStat.parse(Array("42 (a) S 1 (b\n) \(rest)\n".utf8)))
        #expect(stat.identity == ProcessIdentity(pid: 42, startTicks: 12345))
        #expect(stat.name == "a) S 1 (b\n")
        #expect(stat.parent == 77)
        #expect(stat.state == "S")
        #expect(stat.threadCount == 3)
        #expect(stat.waitedChildrenCPU == .milliseconds(340))
    }

    @Test(
        "Garbage is no status",
        arguments: [
            "", "42", "42 (x", "42 ) x (", "x (y) S 1", "42 (x) S", "42 (x) S 1 2 3",
            "42 (x) S 1 1 1 0 -1 0 0 0 0 0 1 2 -3 4 20 0 3 0 1 1 1",
            "42 (x) S 1 1 1 0 -1 0 0 0 0 0 1 2 3 4 20 0 3 0 99999999999999999999 1 1",
        ])
    func garbage(text: String) {
        #expect(ProcessStat.parse(Array(text.utf8)) == nil)
        #expect(ProcessMemory.parse(Array(text.utf8)) == nil)
        #expect(MemoryMapping.parse(text).isEmpty)
    }

    @Test("Random bytes harm no parser")
    func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: 0...255)
            }
            _ = ProcessStat.parse(bytes)
            _ = ProcessMemory.parse(bytes)
            _ = MemoryMapping.parse(String(decoding: bytes, as: UTF8.self))
            _ = ProcessTree.parseChildren(bytes)
            bytes.withUnsafeBytes { raw in
                _ = #expect(throws: ElfImage.ParseError.self) { try ElfImage(raw) }
            }
        }
    }

    @Test("Disk, switches and run-queue wait are found in their texts, and garbage is none")
    func usageTexts() {
        let moved = ProcessIO.parse(
            Array("rchar: 9\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n".utf8))
        #expect(moved == ProcessIO(read: ByteCount(bytes: 4096), written: ByteCount(bytes: 8192)))
        let switches = ContextSwitches.parse(
            Array("Threads:\t1\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n".utf8))
        #expect(switches == ContextSwitches(voluntary: 12, involuntary: 3))
        #expect(
            ThreadSchedule.parse(Array("10 20 3\n".utf8))
                == ThreadSchedule(runNanoseconds: 10, waitNanoseconds: 20))
        #expect(
            ProportionalMemory.parse(Array("5-6 [rollup]\nRss: 9 kB\nPss:   7 kB\n".utf8)) == .kibibytes(7))
        for text in [
            "", "read_bytes:", "read_bytes: x\nwrite_bytes: 1", "1 2", "Pss: 99999999999999999999 kB",
        ] {
            #expect(ProcessIO.parse(Array(text.utf8)) == nil && ThreadSchedule.parse(Array(text.utf8)) == nil)
            #expect(ContextSwitches.parse(Array(text.utf8)) == nil)
            #expect(ProportionalMemory.parse(Array(text.utf8)) == nil)
        }
    }

    @Test("The counter of CPU time runs for a child that has come and gone")
    func taskClock() throws {
        let script =
            "import os,time\nif os.fork() == 0:\n while time.process_time() < 0.2: pass\n os._exit(0)\nos.wait()"
        // The counter also holds what other machines have stolen meanwhile, the process's own account does not: of three tries
        // the least disturbed is held to it.
        var ratios: [Double] = []
        for _ in 0..<3 {
            let suspended = try SuspendedChild.prepare(
                ChildRequest(["/usr/bin/python3", "-S", "-c", script]))
            let clock = try TreeCounter(.taskClock, processes: [suspended.pid])
            var child = try suspended.release()
            let outcome = try #require(try child.wait(timeout: .seconds(20)))
            ratios.append(Double(clock.count()?.value ?? 0) / (outcome.cpu.inSeconds * 1e9))
        }
        #expect(ratios.allSatisfy { $0 > 0.9 } && ratios.contains { $0 < 1.1 }, "\(ratios)")
    }

    @Test("A counter counts from the first instruction on, children that have come and gone included")
    func pageFaults() throws {
        // Touches 3,000 pages in a child, and as many itself.
        let script = """
            import mmap, os
            def touch():
                m = mmap.mmap(-1, 3000 * 4096)
                for page in range(3000): m[page * 4096] = 1
            if os.fork() == 0:
                touch(); os._exit(0)
            os.wait(); touch()
            """
        let suspended = try SuspendedChild.prepare(ChildRequest(["/usr/bin/python3", "-S", "-c", script]))
        // The copy that waits to run the command touches pages of its own until it sleeps at the gate.
        for _ in 0..<1000 where ProcessStat.ofProcess(suspended.pid)?.state != "S" { usleep(1000) }
        let counter = try TreeCounter(.pageFaults, processes: [suspended.pid])
        let before = counter.count()
        #expect(before?.value == 0)
        var child = try suspended.release()
        let status = try child.wait(timeout: .seconds(20))?.status
        #expect(status == .code(0))
        // A handle that cannot be copied cannot stand in a macro.
        let counted = counter.count()
        let reading = try #require(counted)
        #expect((6000..<9000).contains(reading.value), "\(reading)")
        #expect(reading.enabled > 0 && reading.coverage == 1)
    }

    @Test("Instructions are counted, or the kernel says why not")
    func instructions() throws {
        let suspended = try SuspendedChild.prepare(
            ChildRequest(["/usr/bin/python3", "-S", "-c", "for i in range(1000000): pass"]))
        let counter: TreeCounter
        do throws(SystemError) {
            counter = try TreeCounter(.instructions, processes: [suspended.pid])
        } catch {
            // What `perf stat -e instructions:u` calls not supported.
            #expect(["No such file or directory", "Operation not supported"].contains(error.reason))
            return
        }
        var child = try suspended.release()
        let status = try child.wait(timeout: .seconds(20))?.status
        #expect(status == .code(0))
        let counted = counter.count()?.value ?? 0
        #expect(counted > 10_000_000)
    }

    @Test("A counter that shared its place is scaled up; one that never had one says nothing")
    func multiplexing() {
        #expect(CounterReading(value: 100, enabled: 50, running: 50).estimated == 100)
        #expect(CounterReading(value: 100, enabled: 60, running: 20).estimated == 300)
        #expect(abs(CounterReading(value: 100, enabled: 60, running: 20).coverage - 1.0 / 3) < 1e-9)
        #expect(CounterReading(value: 0, enabled: 60, running: 0).estimated == nil)
        #expect(CounterReading(value: 0, enabled: 0, running: 0).estimated == 0)
    }

    @Test("Mappings without a page of one's own are found, and handing them back harms nothing")
    func handBack() {
        let text = """
            1000-3000 r-xp 00000000 fe:00 12   /bin/x
            Rss: 8 kB
            Anonymous:             0 kB
            3000-4000 r--p 00003000 fe:00 12   /bin/x
            Anonymous:             4 kB
            5000-6000 rw-p 00004000 fe:00 12   /bin/x
            Anonymous:             0 kB
            7000-8000 r-xp 00000000 00:00 0    [vdso]
            Anonymous:             0 kB
            8000-9000 r--p 00000000 00:00 0
            Anonymous:             0 kB
            """
        #expect(ResidentPages.pristine(text) == [0x1000..<0x3000])
        for garbage in [
            "", "Anonymous: 0 kB", "9-1 r-xp 0 0 0 /x\nAnonymous: 0 kB", "x-y r-xp 0 0 0 /x\nAnonymous: 0",
        ] {
            #expect(ResidentPages.pristine(garbage).isEmpty)
        }
        let before = ProcessMemory.ofProcess(CurrentProcess.pid)?.resident ?? .zero
        #expect(ResidentPages.handBack() > 1 << 20)
        let after = ProcessMemory.ofProcess(CurrentProcess.pid)?.resident ?? .zero
        #expect(after < before)
    }

    @Test("A fork is detected, and nothing else")
    func detector() throws {
        var detector = ForkDetector()
        _ = detector.look()
        // Other processes of the machine may start some at any time.
        let quiet = (0..<50).contains { _ in detector.look() == .nothingStarted }
        #expect(quiet)
        _ = detector.look()
        var child = try ChildProcess.start(ChildRequest(["true"]))
        #expect(detector.look() != .nothingStarted)
        _ = try child.wait()
    }

    @Test("We find ourselves: parent, memory, CPU clock, start")
    func ourselves() throws {
        let stat = try #require(ProcessStat.ofProcess(CurrentProcess.pid))
        #expect(stat.parent == CurrentProcess.parentPID)
        #expect(!stat.hasEnded)
        let memory = try #require(ProcessMemory.ofProcess(CurrentProcess.pid))
        #expect(memory.resident > .mebibytes(1))
        #expect(memory.highWaterMark >= memory.resident)
        let before = SystemClock.processCPU
        let ours = try #require(ProcessClock.cpu(of: CurrentProcess.pid))
        #expect(ours >= before && ours <= SystemClock.processCPU)
        let age = SystemClock.monotonicNanoseconds - ProcessClock.monotonicStart(of: stat.identity)
        #expect(age > 0 && age < 3_600_000_000_000)
    }

    @Test("A process that is not there has no status, no memory and no clock")
    func nobody() {
        let nobody: Int32 = 0x3FFF_FFFF
        #expect(ProcessStat.ofProcess(nobody) == nil)
        #expect(ProcessMemory.ofProcess(nobody) == nil)
        #expect(ProcessClock.cpu(of: nobody) == nil)
        #expect(throws: SystemError.self) { _ = try ProcessHandle(pid: nobody) }
        #expect(throws: SystemError.self) { try ProcessMemory.resetHighWaterMark(of: nobody) }
    }

    @Test("A child's CPU clock agrees with what wait4 reports of it in the end, also while it is a zombie")
    func childClock() throws {
        let script = "import time\nwhile time.process_time() < 0.3: pass"
        var child = try ChildProcess.start(ChildRequest(["/usr/bin/python3", "-S", "-c", script]))
        let handle = try ProcessHandle(pid: child.pid)
        #expect(try handle.hasEnded(within: .seconds(60)))
        let stat = try #require(ProcessStat.ofProcess(child.pid))
        #expect(stat.hasEnded)
        #expect(stat.exitStatus == .code(0))
        let clock = try #require(ProcessClock.cpu(of: child.pid))
        let outcome = try #require(try child.wait())
        let difference = (outcome.cpu - clock - stat.waitedChildrenCPU).inSeconds.magnitude
        #expect(difference < 0.02)
    }

    @Test("The exit status of another's child is known before and after it was waited for")
    func exitStatus() throws {
        var child = try ChildProcess.start(ChildRequest(["sh", "-c", "exit 9"]))
        let handle = try ProcessHandle(pid: child.pid)
        #expect(try handle.hasEnded(within: .seconds(20)))
        #expect(handle.exitStatus() == .value(.code(9)))
        _ = try child.wait()
        // Known from Linux 6.15 on; before, there has to be a reason.
        let after = handle.exitStatus()
        #expect(after == .value(.code(9)) || after.unavailableReason != nil)
    }

    @Test("The high-water mark falls to what is resident when it is reset")
    func highWaterMark() throws {
        let script = "b=bytearray(64<<20); del b; print(flush=True); input()"
        let output = try FileDescriptor.pipe()
        let input = try FileDescriptor.pipe()
        var request = ChildRequest(["/usr/bin/python3", "-S", "-c", script])
        request.standardOutput = .descriptor(output.writeEnd.rawValue)
        request.standardInput = .descriptor(input.readEnd.rawValue)
        let child = try ChildProcess.start(request)
        _ = try output.readEnd.read(upTo: 1)
        let before = try #require(ProcessMemory.ofProcess(child.pid))
        #expect(before.highWaterMark > .mebibytes(64))
        try ProcessMemory.resetHighWaterMark(of: child.pid)
        let after = try #require(ProcessMemory.ofProcess(child.pid))
        #expect(after.highWaterMark < .mebibytes(32))
    }

    @Test("A tree has children and grandchildren, in the kernel's list and in the scan alike")
    func tree() throws {
        let output = try FileDescriptor.pipe()
        var request = ChildRequest(["sh", "-c", "sh -c 'sleep 100 & echo; wait' & wait"])
        request.standardOutput = .descriptor(output.writeEnd.rawValue)
        request.leadsProcessGroup = true
        var child = try ChildProcess.start(request)
        _ = try output.readEnd.read(upTo: 1)
        let found = ProcessTree.processes(from: child.pid)
        #expect(found.count == 3)
        #expect(found.first == child.pid)
        let scanned = ProcessTree.descendants(of: child.pid, in: ProcessTree.allProcesses())
        #expect(Set(scanned) == Set(found))
        #expect(ProcessTree.processes(from: child.pid, excluding: [found[1]]) == [child.pid])
        for pid in found.dropFirst() { _ = try runCommand(["kill", "\(pid)"]) }
        _ = try child.terminate(grace: .seconds(1))
    }

    @Test("Parents that go in a circle end")
    func circle() {
        let entries = [(2, 1), (1, 2), (3, 2)].map { ProcessTree.Entry(pid: $0.0, parent: $0.1) }
        #expect(Set(ProcessTree.descendants(of: 1, in: entries)) == [1, 2, 3])
    }
}

@Suite("Images and mappings")
struct ImageTests {
    @Test("A mapping line comes apart, with spaces and a deletion mark in its path")
    func mappingLine() throws {
        let line = "7f00-7fff r-xp 00001000 fd:01 99   /usr/a b.so (deleted)"
        let mapping = try #require(MemoryMapping.parse(line).first)
        #expect(mapping.start.value == 0x7F00 && mapping.end.value == 0x7FFF)
        #expect(mapping.path == "/usr/a b.so")
        #expect(mapping.isDeleted && mapping.isExecutable && mapping.isFileBacked)
        #expect(mapping.fileOffset == 0x1000 && mapping.inode == 99)
        #expect(mapping.device == 0xFD << 20 | 1)
    }

    @Test("Our own mappings hold an address of our own")
    func ourMappings() throws {
        let address = withUnsafePointer(to: 1) { RuntimeAddress(UInt64(UInt(bitPattern: $0))) }
        let mappings = try MemoryMapping.ofProcess(CurrentProcess.pid)
        #expect(mappings.contains { $0.contains(address) })
        #expect(mappings.contains { $0.isExecutable && $0.isFileBacked })
    }

    @Test("An ELF file's build identifier and segments agree with readelf")
    func elf() throws {
        let path = try #require(Programs.path(of: "readelf"))
        let image = try ElfImage(OpenFile(path))
        let notes = try runCommand(["readelf", "-n", path]).standardOutput
        if let buildID = image.buildID { #expect(notes.contains("Build ID: \(buildID)")) }
        #expect(image.buildID != nil)
        let executable = try #require(image.segments.first { $0.isExecutable })
        let address = try #require(image.address(ofFileOffset: executable.fileOffset))
        #expect(image.fileOffset(of: address) == executable.fileOffset)
        #expect(image.ehFrameHeader != nil && image.ehFrame != nil)
    }

    @Test("A cut ELF file is refused or read in part, never beyond its end")
    func truncatedElf() throws {
        let bytes = try Files.read(try #require(Programs.path(of: "true")), limit: 1 << 22)
        for length in [0, 3, 4, 63, 64, 65, 100, 200, 500, 1000, bytes.count / 2] {
            Array(bytes.prefix(length)).withUnsafeBytes { raw in
                do throws(ElfImage.ParseError) {
                    _ = try ElfImage(raw)
                } catch {
                    #expect(error == .truncated || error == .notElf)
                }
            }
        }
    }

    @Test("An ELF file with a flipped byte in its headers does no harm")
    func damagedElf() throws {
        let bytes = try Files.read(try #require(Programs.path(of: "true")), limit: 1 << 22)
        for position in 0..<1000 {
            var damaged = bytes
            damaged[position] ^= 0xFF
            damaged.withUnsafeBytes { raw in
                do throws(ElfImage.ParseError) {
                    let image = try ElfImage(raw)
                    _ = image.address(ofFileOffset: .max)
                    _ = image.fileOffset(of: ImageAddress(.max))
                } catch {
                    #expect(!error.description.isEmpty)
                }
            }
        }
    }

    @Test("An empty file can be opened, a directory cannot")
    func opened() throws {
        let directory = try TemporaryDirectory()
        try Files.replace(directory.path + "/empty", with: "")
        let empty = try OpenFile(directory.path + "/empty")
        #expect(empty.count == 0)
        #expect(empty.load(UInt32.self, at: 0) == nil)
        #expect(throws: SystemError.self) { try OpenFile(directory.path) }
    }
}
