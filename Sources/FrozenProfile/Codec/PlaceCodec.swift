internal import YAMLDocument

extension SessionPlace {
    /// The key under which it stands, in profiles and records.
    static let key = "place"

    /// As it stands in a file.
    var yaml: YAMLNode {
        var mapping: YAMLMapping = ["scheduler": .text(scheduler), "node": .text(node)]
        mapping["host"] = .text(host)
        mapping["class"] = .text(nodeClass)
        if let partition { mapping["partition"] = .text(partition) }
        mapping["job"] = .text(job)
        return .mapping(mapping)
    }

    /// What a file says; nil where it has no such mapping.
    static func read(_ fields: FieldReader) throws(ProfileError) -> SessionPlace? {
        guard let place = try fields.mapping(key) else { return nil }
        return SessionPlace(
            scheduler: try place.requiredText("scheduler"), node: try place.requiredText("node"),
            host: try place.requiredText("host"), nodeClass: try place.requiredText("class"),
            job: try place.requiredText("job"), partition: try place.text("partition"))
    }
}
