public import FrozenProfile
public import LinuxSystem
internal import Measurement
internal import MessageDigest

/// The noise ledgers in a directory, a file for each class of machine and workload.
public struct LedgerStore: Sendable {
    /// The directory's path.
    public let directory: String

    /// The ledgers beside frozen profiles.
    ///
    /// - Parameter profiles: The directory of the profiles.
    public init(profiles: String) {
        directory = "\(profiles)/ledger"
    }

    /// The most files that are looked at.
    private static let mostFiles = 1000

    /// The ledger of all these profiles' machine and workload; nil when there is none.
    public func ledger(for profiles: [FrozenProfile]) throws(NoiseLedger.Refusal) -> NoiseLedger? {
        guard Files.isDirectory(directory) else { return nil }
        let names: [String]
        do throws(SystemError) {
            names = try Files.names(inDirectory: directory).filter { $0.hasSuffix(".yaml") }.sorted()
        } catch {
            throw NoiseLedger.Refusal(description: error.description)
        }
        for name in names.prefix(Self.mostFiles) {
            let ledger = try Self.load("\(directory)/\(name)")
            if profiles.allSatisfy(ledger.applies) { return ledger }
        }
        return nil
    }

    /// The ledger in a file.
    ///
    /// Several directories may share one by a link.
    public static func load(_ path: String) throws(NoiseLedger.Refusal) -> NoiseLedger {
        let bytes: [UInt8]
        do throws(Files.ReadError) {
            bytes = try Files.read(path, limit: NoiseLedger.maximumBytes)
        } catch {
            throw NoiseLedger.Refusal(description: error.description)
        }
        return try NoiseLedger.decode(bytes, file: path)
    }

    /// A ledger for a profile's machine and workload: the one that is there, or an empty one with a name of its own.
    public func ledgerToLearn(from profile: FrozenProfile) throws(NoiseLedger.Refusal) -> NoiseLedger {
        if let found = try ledger(for: [profile]) { return found }
        let new = NoiseLedger(
            file: "", machine: MachineClass(profile.environment.identity), workload: Workload(profile))
        // The digest distinguishes machines, the word in front of it is for people.
        let word = (new.workload.datasetID ?? new.workload.command.first.map(Files.name) ?? "workload")
            .prefix(40).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let digest = SHA256.hexadecimal(of: new.encode()).prefix(8)
        return NoiseLedger(
            file: "\(directory)/\(String(word))-\(digest).yaml", machine: new.machine, workload: new.workload)
    }

    /// Writes a ledger to its file.
    public func save(_ ledger: NoiseLedger) throws(SystemError) {
        try Files.createDirectories(Files.directory(of: ledger.file))
        // A ledger that is a link, to one that several directories share for instance, stays one.
        let file = try OutputDestination(ledger.file)
        guard let path = file.regularFile else { return try file.write(ledger.encode()) }
        try Files.replace(path, with: ledger.encode(), durably: true)
    }
}
