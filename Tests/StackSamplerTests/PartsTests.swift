import LinuxProcess
import LinuxSystem
import Testing

@testable import StackSampler

/// The pure parts of the sampler.
struct PartsTests {
    private func module(_ start: UInt64, _ end: UInt64, image: Int = 0) -> ModuleTable.Module {
        ModuleTable.Module(start: start, end: end, bias: 0, imageIndex: image)
    }

    @Test("Modules stay sorted, and a new one cuts what it overlaps")
    func modules() {
        var table = ModuleTable()
        var isReplacement = table.insert(module(100, 200))
        #expect(!isReplacement)
        isReplacement = table.insert(module(300, 400))
        #expect(!isReplacement)
        isReplacement = table.insert(module(200, 300, image: 1))
        #expect(!isReplacement)
        #expect(table.modules.map(\.start) == [100, 200, 300])
        isReplacement = table.insert(module(150, 350, image: 2))
        #expect(isReplacement)
        #expect(table.modules == [module(100, 150), module(150, 350, image: 2), module(350, 400)])
        isReplacement = table.insert(module(200, 210, image: 3))
        #expect(isReplacement)
        #expect(table.modules.map(\.start) == [100, 150, 200, 210, 350])
        isReplacement = table.insert(module(0, 1000, image: 4))
        #expect(isReplacement)
        #expect(table.modules == [module(0, 1000, image: 4)])
    }

    @Test("The same module reported twice changes nothing, and an empty one is none")
    func sameModule() {
        var table = ModuleTable()
        var isReplacement = table.insert(module(100, 200))
        isReplacement = table.insert(module(100, 200))
        #expect(!isReplacement)
        isReplacement = table.insert(module(50, 50))
        #expect(!isReplacement)
        #expect(table.modules == [module(100, 200)])
    }

    @Test(
        "A search table is taken only in the encoding that libunwind can search, and only as far as it goes")
    func ehFrameHeader() {
        func parse(_ bytes: [UInt8]) -> EhFrameHeader? { EhFrameHeader(bytes, sectionSize: bytes.count) }
        let table = [UInt8](repeating: 0, count: 16)
        let good: [UInt8] = [1, 0x1B, 0x03, 0x3B, 0, 0, 0, 0, 2, 0, 0, 0] + table
        #expect(parse(good)?.tableOffset == 12)
        #expect(parse(good)?.count == 2)
        // Another encoding, for which libunwind's own search aborts the program (L4).
        #expect(parse([1, 0x1B, 0x03, 0x2C] + good.dropFirst(4)) == nil)
        #expect(parse([2] + good.dropFirst()) == nil)
        #expect(parse([1, 0x1B, 0x03, 0x3B, 0, 0, 0, 0, 3, 0, 0, 0] + table) == nil)
        #expect(parse([1, 0x1B, 0x03, 0x3B, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF] + table) == nil)
        #expect(parse([1, 0x1B, 0xFF, 0x3B, 0, 0, 0, 0] + table) == nil)
        for count in 0..<good.count { #expect(parse(Array(good[..<count])) == nil) }
    }

    @Test("The table built from .eh_frame is the one that the linker made")
    func builtTable() throws {
        let file = try OpenFile("/proc/self/exe")
        let elf = try ElfImage(file)
        let header = try #require(elf.ehFrameHeader)
        let frames = try #require(elf.ehFrame)
        let table = try #require(file.bytes(at: header.fileOffset, count: header.size))
        let parsed = try #require(EhFrameHeader(table, sectionSize: table.count))
        let linked = try (0..<parsed.count).map { index -> UInt64 in
            let offset = try #require(table.load(Int32.self, at: parsed.tableOffset + index * 8))
            return header.address.value &+ UInt64(bitPattern: Int64(offset))
        }
        let content = try #require(file.bytes(at: frames.fileOffset, count: frames.size))
        let built = content.withUnsafeBytes { EhFrameIndex($0, address: frames.address.value) }
        let functions = stride(from: 0, to: built.table.count, by: 2).map {
            frames.address.value &+ UInt64(bitPattern: Int64(built.table[$0]))
        }
        #expect(Set(functions) == Set(linked))
        #expect(functions == functions.sorted())
    }

    @Test("A damaged .eh_frame gives a shorter table, never a fault")
    func damagedEhFrame() throws {
        let file = try OpenFile("/proc/self/exe")
        let section = try #require(try ElfImage(file).ehFrame)
        var bytes = file.bytes(at: section.fileOffset, upTo: min(Int(section.size), 4096))
        var state: UInt64 = 7
        for _ in 0..<3000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 20)
            bytes.withUnsafeBytes { raw in
                _ = EhFrameIndex(raw, address: section.address.value)
                _ = EhFrameIndex(
                    UnsafeRawBufferPointer(rebasing: raw[..<(Int(state >> 40) % raw.count)]), address: 0)
            }
        }
    }

    @Test("Lists of CPUs are read as the kernel writes them")
    func cpus() {
        #expect(OnlineCPUs.parse("0-3,8\n") == [0, 1, 2, 3, 8])
        #expect(OnlineCPUs.parse("0\n") == [0])
        #expect(OnlineCPUs.parse("x,5-2,99999999") == [])
    }

    @Test("A thread with an event of its own does not count for one that it also inherited")
    func ownership() {
        let ownership = EventOwnership()
        ownership.remember(identifier: 1, threadID: 10)
        ownership.remember(identifier: 2, threadID: 11)
        #expect(ownership.counts(identifier: 2, threadID: 11, time: 1))
        #expect(!ownership.counts(identifier: 1, threadID: 11, time: 1))
        #expect(ownership.counts(identifier: 1, threadID: 12, time: 1))
        ownership.forget(11)
        #expect(ownership.counts(identifier: 1, threadID: 11, time: 1))
    }

    @Test("Equal frames and stacks are kept once")
    func interning() {
        var interner = SampleInterner(maximumStackBytes: 1 << 20)
        var indices: [Int32] = []
        for address in 0..<5000 {
            let key = SampleInterner.FrameKey(address: UInt64(address), image: 1, process: 0, flags: 0)
            indices.append(interner.frame(key))
        }
        let again = SampleInterner.FrameKey(address: 1234, image: 1, process: 0, flags: 0)
        let sameFrame = interner.frame(again)
        #expect(sameFrame == indices[1234])
        let other = SampleInterner.FrameKey(address: 1234, image: 2, process: 0, flags: 0)
        let otherFrame = interner.frame(other)
        #expect(otherFrame == 5000)
        indices.withUnsafeBufferPointer { all in
            let first = interner.stack(all, end: .complete)
            let same = interner.stack(all, end: .complete)
            let otherEnd = interner.stack(all, end: .truncated)
            let shorter = interner.stack(UnsafeBufferPointer(rebasing: all.dropLast()), end: .complete)
            #expect(same == first)
            #expect(otherEnd != first && shorter != first && otherEnd != shorter)
        }
        #expect(interner.stacks.count == 3)
    }

    @Test("A return address is looked up a byte earlier, a program counter where it is")
    func lookup() {
        var frame = RawFrame(
            imageIndex: 0, address: .image(ImageAddress(100)), kind: .returnAddress, isGuessed: false)
        #expect(frame.lookupAddress == .image(ImageAddress(99)))
        frame.kind = .programCounter
        #expect(frame.lookupAddress == .image(ImageAddress(100)))
    }

    @Test("Each refusal says what it is and what helps")
    func errors() {
        #expect(
            SamplerError.paranoid(level: 4).description
                == "Cannot use perf events: kernel.perf_event_paranoid is 4, and only up to 2 may anybody sample "
                + "their own processes. Run `sysctl kernel.perf_event_paranoid=2` as root, or give CAP_PERFMON."
        )
        #expect(
            SamplerError.accessDenied(pid: 1).description
                == "Cannot sample process 1: it belongs to another user or is protected. Run as the same user, or "
                + "give CAP_PERFMON and CAP_SYS_PTRACE.")
        #expect(
            SamplerError.tooManyDescriptors(needed: 800).description
                == "Cannot open 800 perf events, one for each thread and CPU: the limit of open files is lower. "
                + "Raise it with `ulimit -n`, or start the process under the sampler instead of attaching.")
        #expect(
            SamplerError.ringRefused(bytes: 131_072).description
                == "Cannot lock 131072 bytes of ring buffer in memory: the limit is used up. Raise it with "
                + "`ulimit -l` or `sysctl kernel.perf_event_mlock_kb`.")
        let missing = SystemError(action: "open a perf event", code: 38)
        #expect(
            SamplerError.opening(missing, processID: 1, needed: 1).description
                == "Cannot use perf events: the kernel refuses perf_event_open (Function not implemented), as it "
                + "does under the seccomp profiles of containers. Allow the call there, or give CAP_PERFMON.")
        let gone = SystemError(action: "open a perf event", code: 3)
        #expect(SamplerError.opening(gone, processID: 9, needed: 1) == .noSuchProcess(pid: 9))
        let files = SystemError(action: "open a perf event", code: 24)
        #expect(SamplerError.opening(files, processID: 9, needed: 5) == .tooManyDescriptors(needed: 5))
    }

    @Test("Of lost samples the target is charged the part that it has of those that arrived")
    func foreignLosses() {
        var health = SamplerHealth(rung: "perf cpu-clock")
        health.received = 30
        #expect(health.share(ofLost: 11) == 11)
        health.foreign = 270
        #expect(health.share(ofLost: 11) == 2)
    }

    @Test("Threads that work are looked at in each turn, the others from where the last turn ended")
    func sweep() {
        let threads = (Int32(0)..<5).map { WatchedThread(processID: 0, threadID: $0, firstSeen: 0) }
        var sweep = ThreadSweep(periodNanoseconds: 1000)
        sweep.update(threads.reversed())
        #expect(sweep.budget == 500)
        threads[2].restedLooks = 0
        #expect(sweep.working.map(\.threadID) == [2])
        func turn(_ most: Int) -> [Int32] {
            var start: Int?
            var seen: [Int32] = []
            while seen.count < most, let thread = sweep.nextResting(since: &start) {
                seen.append(thread.threadID)
            }
            return seen
        }
        #expect(turn(3) == [0, 1, 3])
        #expect(turn(3) == [4, 0, 1])
        // All of them once, and no further.
        #expect(turn(9) == [3, 4, 0, 1])
        sweep.add(2, toResting: false)
        #expect(threads.map(\.due) == [0, 0, 2, 0, 0])
        sweep.add(1, toResting: true)
        #expect(threads.map(\.due) == [1, 1, 3, 1, 1])
    }
}
