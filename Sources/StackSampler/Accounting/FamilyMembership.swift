internal import LinuxProcess
internal import LinuxSystem

/// Which processes belong to the target, for events that see every process of the machine. Used by one thread only.
struct FamilyMembership {
    private let root: Int32
    private var known: [Int32: Bool] = [:]
    /// The target's own program has not begun yet: what runs until then is the start of a command by us.
    private var awaitsExec: Bool
    private let parent: (Int32) -> Int32?

    /// Foreign processes remembered before they are forgotten and asked about anew.
    private static let limit = 1 << 16
    /// The longest line of ancestors that is followed.
    private static let mostGenerations = 256

    /// - Parameters:
    ///   - members: The processes known to belong to the target, its first one included.
    ///   - awaitsExec: Whether the target begins with the next exec of its first process.
    ///   - parent: The parent of a process, nil where there is none or the process is gone.
    init(
        root: Int32, members: [Int32], awaitsExec: Bool,
        parent: @escaping (Int32) -> Int32? = ProcessTree.parent(of:)
    ) {
        self.root = root
        self.awaitsExec = awaitsExec
        self.parent = parent
        for member in members { known[member] = true }
        known[root] = true
    }

    /// Whether a process belongs to the target: by the records so far, else by its line of ancestors.
    mutating func contains(_ processID: Int32) -> Bool {
        // What is outside our own namespace of processes has no number here.
        guard processID > 0 else { return false }
        if let isMember = known[processID] { return isMember && !(awaitsExec && processID == root) }
        let isMember = descends(processID)
        remember(processID, isMember)
        return isMember
    }

    /// Takes note of a new process.
    mutating func fork(_ child: Int32, from parent: Int32) {
        guard child != parent else { return }
        // The number may have belonged to another process before.
        known[child] = nil
        let isMember = known[parent] ?? contains(parent)
        remember(child, isMember)
    }

    /// Takes note of another program in a process.
    mutating func exec(_ processID: Int32) {
        if processID == root { awaitsExec = false }
    }

    /// Records have been lost: which processes are foreign has to be asked anew.
    mutating func doubt() { known = known.filter(\.value) }

    private mutating func remember(_ processID: Int32, _ isMember: Bool) {
        if !isMember && known.count >= Self.limit { doubt() }
        known[processID] = isMember
    }

    private func descends(_ processID: Int32) -> Bool {
        var process = processID
        for _ in 0..<Self.mostGenerations {
            guard let next = parent(process), next > 0 else { return false }
            if let isMember = known[next] { return isMember }
            process = next
        }
        return false
    }
}
