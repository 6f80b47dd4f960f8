internal import LinuxProcess
internal import LinuxSystem

/// What the sampler knows of one sampled process. Used by one thread only.
final class TargetProcess {
    let processID: Int32
    private(set) var modules = ModuleTable()
    /// Names by thread.
    private(set) var names: [Int32: String] = [:]
    /// Indices into the profile's threads, by thread; emptied when names change.
    var threadIndices: [Int32: Int32] = [:]
    /// Set up with the first sample: most processes of a shell script are never sampled.
    var space: AddressSpace?
    /// Whether the modules have changed since the space was set.
    private(set) var isChanged = true
    /// Whether rows that the space remembers may be wrong.
    private(set) var isStale = false
    /// Counts samples, to find the process that was sampled least lately.
    var lastUse: UInt64 = 0

    init(processID: Int32) {
        self.processID = processID
    }

    /// A child as fork makes it.
    init(processID: Int32, forkedFrom parent: TargetProcess, parentThreadID: Int32) {
        self.processID = processID
        modules = parent.modules
        names = [processID: parent.name(ofThread: parentThreadID)]
    }

    func name(ofThread threadID: Int32) -> String {
        names[threadID] ?? names[processID] ?? ""
    }

    func setName(_ name: String, ofThread threadID: Int32) {
        guard names[threadID] != name else { return }
        names[threadID] = name
        if threadID == processID { threadIndices = [:] } else { threadIndices[threadID] = nil }
    }

    func removeThread(_ threadID: Int32) {
        threadIndices[threadID] = nil
        if threadID != processID { names[threadID] = nil }
    }

    /// Forgets the memory of the program that exec has replaced.
    func forgetProgram() {
        modules = ModuleTable()
        names = names.filter { $0.key == processID }
        threadIndices = [:]
        isChanged = true
        isStale = true
    }

    /// Whether code of a file is known to lie at an address.
    func hasImage(at address: UInt64) -> Bool {
        modules.modules.contains { $0.start <= address && address < $0.end && $0.imageIndex != nil }
    }

    func insert(_ module: ModuleTable.Module) {
        isStale = modules.insert(module) || isStale
        isChanged = true
    }

    /// Takes over what is mapped now. Returns whether that is something else than what was known.
    func replaceModules(_ table: ModuleTable) -> Bool {
        guard table != modules else { return false }
        modules = table
        isChanged = true
        isStale = true
        return true
    }

    /// The space, brought up to date.
    func preparedSpace(_ space: AddressSpace, images: [UnwindImage?]) {
        guard isChanged || self.space == nil else { return }
        space.set(processID: processID, modules, images: images, isStale: isStale || self.space == nil)
        self.space = space
        isChanged = false
        isStale = false
    }
}
