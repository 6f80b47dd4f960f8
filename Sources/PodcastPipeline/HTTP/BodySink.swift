internal import JSONDocument
internal import LinuxSystem
internal import Measurement
internal import MessageDigest

/// Where the parts of a body go. Used by the one thread that performs the request.
class BodySink {
    let policy: AddressPolicy
    var head = ResponseHead()
    /// Why a part could not be stored.
    fileprivate(set) var failure: SystemError?
    /// The bytes that were there before the request.
    fileprivate(set) var resumesAt: Int64 = 0

    init(policy: AddressPolicy) {
        self.policy = policy
    }

    /// Takes a part. False when it could not be stored.
    func take(_ bytes: [UInt8]) -> Bool { false }
}

/// Keeps a body in memory.
final class MemorySink: BodySink {
    private(set) var body: [UInt8] = []

    override func take(_ bytes: [UInt8]) -> Bool {
        body += bytes
        return true
    }
}

/// Keeps a body in a file, beside it what is needed to go on with it after an interruption: the digest of its address, and
/// the server's validators.
final class FileSink: BodySink {
    private let path: String
    private let addressDigest: String
    private var file: FileDescriptor
    private var validators: Validators?
    private var hasBegun = false
    private(set) var size: Int64 = 0

    private var notePath: String { path + ".from" }

    init(path: String, url: String, policy: AddressPolicy) throws(SystemError) {
        self.path = path
        var digest = SHA256()
        digest.update(Array(url.utf8))
        addressDigest = digest.hexadecimal()
        let known = Self.note(path + ".from", addressDigest: addressDigest)
        if known == nil { try Self.removeIfThere(path) }
        file = try FileDescriptor.open(path, .append, followingLinks: false)
        super.init(policy: policy)
        validators = known
        resumesAt = known == nil ? 0 : try Files.size(path)
        size = resumesAt
    }

    /// The fields that ask for the rest of a body that is here in part.
    var rangeFields: [String] {
        guard resumesAt > 0, let condition = validators?.rangeField else { return [] }
        return ["Range: bytes=\(resumesAt)-", condition]
    }

    override func take(_ bytes: [UInt8]) -> Bool {
        do throws(SystemError) {
            if !hasBegun { try begin() }
            try file.write(bytes)
            size += Int64(bytes.count)
            return true
        } catch {
            // Writing names only the descriptor; a person wants the path.
            failure = SystemError(action: "write '\(path)'", code: error.code)
            return false
        }
    }

    /// Forgets what is there.
    func startOver() throws(SystemError) {
        try Self.removeIfThere(notePath)
        try Self.removeIfThere(path)
        file = try FileDescriptor.open(path, .append, followingLinks: false)
        resumesAt = 0
        size = 0
    }

    /// The body is whole: what was noted to go on with it is not needed any more.
    func finish() throws(SystemError) {
        // A whole body may be empty, and what was there before may be all of it.
        if !hasBegun && resumesAt > 0 && head.status != 206 { try startOver() }
        try Self.removeIfThere(notePath)
    }

    private func begin() throws(SystemError) {
        hasBegun = true
        if resumesAt > 0, head.status != 206 || head.rangeStart != resumesAt { try startOver() }
        // Only what can be asked for conditionally is gone on with: else two versions could be mixed.
        guard head.validators.rangeField != nil else { return }
        let fields: [(String, JSONOutput)] = [
            ("address_sha256", .string(addressDigest)),
            ("entity_tag", .string(head.validators.entityTag ?? "")),
            ("last_modified", .string(head.validators.lastModified ?? "")),
        ]
        try Files.replace(notePath, with: JSONOutput.object(fields).text() + "\n")
    }

    private static func note(_ path: String, addressDigest: String) -> Validators? {
        guard Files.isRegularFile(path) else { return nil }
        do throws(Files.ReadError) {
            let fields = JSONValue.parse(try Files.read(path, limit: 1 << 14))?.object ?? [:]
            guard fields["address_sha256"]?.string == addressDigest else { return nil }
            func text(_ key: String) -> String? { fields[key]?.string.flatMap { $0.isEmpty ? nil : $0 } }
            let validators = Validators(entityTag: text("entity_tag"), lastModified: text("last_modified"))
            return validators.rangeField == nil ? nil : validators
        } catch {
            // Without a readable note the body is fetched from its beginning.
            return nil
        }
    }

    private static func removeIfThere(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            try Files.remove(path)
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
