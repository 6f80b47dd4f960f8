/// The build identifiers of modules: which build of a file a frame is of.
///
/// A module that is known under two identifiers has none: its frames may be of either build.
public struct BuildIDs: Hashable, Sendable {
    private var identifiers: [String: String?] = [:]

    /// No identifiers.
    public init() {}

    /// The identifier of a module in lower-case hexadecimal; nil when it is not known, or not for certain.
    public subscript(module: String) -> String? { identifiers[module] ?? nil }

    /// Takes note of a module's identifier.
    public mutating func insert(_ identifier: String, of module: String) {
        guard let known = identifiers[module] else {
            identifiers[module] = identifier
            return
        }
        if known != identifier { identifiers[module] = .some(nil) }
    }

    /// Takes note of all that others hold.
    mutating func merge(_ other: BuildIDs) {
        for (module, identifier) in other.identifiers {
            if let identifier { insert(identifier, of: module) } else { identifiers[module] = .some(nil) }
        }
    }
}
