internal import LinuxProcess
internal import LinuxSystem

/// The sampled processes, as the kernel's records describe them. Used by one thread only.
struct ProcessTable {
    var images = ImageStore()

    private let cachedRows: Int
    private var processes: [Int32: TargetProcess] = [:]
    private var last: TargetProcess?
    private var uses: UInt64 = 0
    /// Ended processes, oldest first: samples of their other threads may still be on their way.
    private var ended: [Int32] = []
    private var idleSpaces: [AddressSpace] = []
    private var spacesInUse = 0

    /// The most processes with remembered unwind rows, a few hundred kilobytes each as used.
    private static let spaceLimit = 64
    private static let endedLimit = 64

    init(cachedRows: Int) {
        self.cachedRows = cachedRows
    }

    /// The process with an identifier; where no record named it, what `/proc` shows.
    mutating func process(_ processID: Int32) -> TargetProcess {
        if let last, last.processID == processID { return last }
        let process = processes[processID] ?? seed(processID)
        last = process
        return process
    }

    /// Reads a running process from `/proc`. One that is gone has no modules, and its samples no stacks.
    @discardableResult
    mutating func seed(_ processID: Int32) -> TargetProcess {
        let process = TargetProcess(processID: processID)
        processes[processID] = process
        refreshNames(of: process)
        for module in mappedModules(of: processID) { process.insert(module) }
        return process
    }

    /// Reads anew what a process has mapped. Returns whether that has changed.
    mutating func refreshModules(of process: TargetProcess) -> Bool {
        var table = ModuleTable()
        for module in mappedModules(of: process.processID) { table.insert(module) }
        // One that has just ended has none: what was known of it still holds for what was copied before.
        return table.modules.isEmpty ? false : process.replaceModules(table)
    }

    /// Reads anew what a process and its threads are called.
    func refreshNames(of process: TargetProcess) {
        for threadID in Set(ProcessListing.threads(of: process.processID)).union([process.processID]) {
            refreshName(ofThread: threadID, of: process)
        }
    }

    /// Reads anew what a thread is called; the first thread's name is the process's.
    func refreshName(ofThread threadID: Int32, of process: TargetProcess) {
        let name = Self.name("/proc/\(process.processID)/task/\(threadID)/comm")
        if let name { process.setName(name, ofThread: threadID) }
    }

    /// Forgets a process whose identifier may come to mean another.
    mutating func remove(_ processID: Int32) {
        release(processes.removeValue(forKey: processID))
        if last?.processID == processID { last = nil }
    }

    private mutating func mappedModules(of processID: Int32) -> [ModuleTable.Module] {
        do throws(Files.ReadError) {
            let mappings = try MemoryMapping.ofProcess(processID)
            return mappings.filter(\.isExecutable).map { mapping in
                mapping.isFileBacked || mapping.path == "[vdso]"
                    ? module(mapping, buildID: nil, processID: processID)
                    : moved(mapping, among: mappings, processID: processID)
            }
        } catch {
            // A process that has ended has no mappings any more; that is no failure of ours.
            return []
        }
    }

    mutating func apply(_ mapping: PerfMapping) {
        guard mapping.mapping.isExecutable else { return }
        let process = self.process(mapping.processID)
        if !mapping.mapping.path.hasPrefix("/") || mapping.mapping.path.hasPrefix("//"),
            process.hasImage(at: mapping.mapping.start.value)
        {
            // Perhaps the text of that file, copied to larger pages: what is mapped beside it shows.
            for module in mappedModules(of: mapping.processID) { process.insert(module) }
            return
        }
        insert(mapping.mapping, buildID: mapping.buildID, into: process)
    }

    mutating func setName(_ name: String, processID: Int32, threadID: Int32, isExec: Bool) {
        if isExec {
            // Not seeded: `/proc` would show a later moment than the records that follow.
            let process = processes[processID] ?? TargetProcess(processID: processID)
            processes[processID] = process
            process.forgetProgram()
        }
        process(processID).setName(name, ofThread: threadID)
    }

    mutating func fork(processID: Int32, threadID: Int32, parentID: Int32, parentThreadID: Int32) {
        guard processID != parentID else {
            let process = process(processID)
            process.setName(process.name(ofThread: parentThreadID), ofThread: threadID)
            return
        }
        release(processes[processID])
        let child = TargetProcess(
            processID: processID, forkedFrom: process(parentID), parentThreadID: parentThreadID)
        processes[processID] = child
        if last?.processID == processID { last = nil }
    }

    mutating func exit(processID: Int32, threadID: Int32) {
        guard let process = processes[processID] else { return }
        process.removeThread(threadID)
        guard processID == threadID else { return }
        ended.append(processID)
        guard ended.count > Self.endedLimit else { return }
        let oldest = ended.removeFirst()
        // The identifier may have been used again: then the newer process has its own entry at the end.
        guard !ended.contains(oldest) else { return }
        release(processes.removeValue(forKey: oldest))
        if last?.processID == oldest { last = nil }
    }

    /// The processes that are known and of which no end is.
    var running: [Int32] { processes.keys.filter { !ended.contains($0) } }

    /// What a process is called, as far as records or samples have named it; nothing is looked for.
    func knownName(of processID: Int32) -> String? {
        processes[processID].map { $0.name(ofThread: processID) }
    }

    /// Whether a thread was sampled under its present name.
    func hasSamples(ofThread threadID: Int32, processID: Int32) -> Bool {
        processes[processID]?.threadIndices[threadID] != nil
    }

    /// A process's address space, up to date.
    mutating func space(for process: TargetProcess) throws(AddressSpace.OutOfMemory) -> AddressSpace {
        uses += 1
        process.lastUse = uses
        if let space = process.space {
            process.preparedSpace(space, images: images.prepared)
            return space
        }
        if spacesInUse >= Self.spaceLimit {
            release(processes.values.filter { $0.space != nil }.min { $0.lastUse < $1.lastUse })
        }
        let space = try idleOrNewSpace()
        spacesInUse += 1
        process.preparedSpace(space, images: images.prepared)
        return space
    }

    private mutating func idleOrNewSpace() throws(AddressSpace.OutOfMemory) -> AddressSpace {
        if let idle = idleSpaces.popLast() { return idle }
        return try AddressSpace(cachedRows: cachedRows)
    }

    /// Takes a process's address space back for the next one: creating them is what costs.
    private mutating func release(_ process: TargetProcess?) {
        guard let process, let space = process.space else { return }
        process.space = nil
        idleSpaces.append(space)
        spacesInUse -= 1
    }

    private mutating func insert(_ mapping: MemoryMapping, buildID: String?, into process: TargetProcess) {
        process.insert(module(mapping, buildID: buildID, processID: process.processID))
    }

    /// Executable memory without a file: the text of one where it lies between that file's other mappings, just where its
    /// text belongs. Programs copy their text to huge pages so.
    private mutating func moved(
        _ mapping: MemoryMapping, among mappings: [MemoryMapping], processID: Int32
    ) -> ModuleTable.Module {
        let plain = ModuleTable.Module(
            start: mapping.start.value, end: mapping.end.value, bias: nil, imageIndex: nil)
        guard
            let head = mappings.last(where: {
                $0.start < mapping.start && $0.isFileBacked && !$0.isExecutable
            }),
            let index = images.index(of: head, buildID: nil, processID: processID),
            let image = images.prepared[index], let bias = image.bias(of: head),
            image.elf.segments.contains(where: { segment in
                segment.isExecutable
                    && mapping.start.value &- bias &- segment.address.value < segment.sizeInMemory
            })
        else { return plain }
        return ModuleTable.Module(
            start: mapping.start.value, end: mapping.end.value, bias: bias, imageIndex: index)
    }

    private mutating func module(
        _ mapping: MemoryMapping, buildID: String?, processID: Int32
    ) -> ModuleTable.Module {
        let index = images.index(of: mapping, buildID: buildID, processID: processID)
        return ModuleTable.Module(
            start: mapping.start.value, end: mapping.end.value,
            bias: index.flatMap { images.prepared[$0]?.bias(of: mapping) }, imageIndex: index)
    }

    private static func name(_ path: String) -> String? {
        do throws(Files.ReadError) {
            let bytes = try Files.read(path, limit: 256)
            return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        } catch {
            // The thread has ended.
            return nil
        }
    }
}
