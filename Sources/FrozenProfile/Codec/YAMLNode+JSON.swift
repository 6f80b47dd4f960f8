internal import JSONDocument
internal import YAMLDocument

extension YAMLNode {
    /// A value of JSON; the keys of objects in order of name, since JSON gives them none.
    init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .string(let text): self = .text(text)
        case .number(let number):
            self = Int64(exactly: number).map { .integer($0) } ?? .number(number)
        case .array(let items): self = .sequence(items.map { YAMLNode($0) })
        case .object(let members):
            var mapping = YAMLMapping()
            for key in members.keys.sorted() {
                if let member = members[key] { mapping[key] = YAMLNode(member) }
            }
            self = .mapping(mapping)
        }
    }
}
