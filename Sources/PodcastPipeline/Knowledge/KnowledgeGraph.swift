internal import Measurement

/// People, organisations, places and topics of an episode, and how they hang together.
struct KnowledgeGraph: Equatable, Sendable {
    enum Kind: String, Sendable {
        case episode, person, organisation, place, topic, insight
    }

    struct Node: Equatable, Sendable {
        var identifier: String
        var kind: Kind
        var label: String
        /// Where in the audio it is said, in seconds; empty for what only the feed says.
        var mentions: [Double]
    }

    struct Edge: Equatable, Sendable {
        var source: String
        var relation: String
        var target: String
        /// How often.
        var weight: Int
    }

    var nodes: [Node] = []
    var edges: [Edge] = []

    var json: JSONOutput {
        .object([
            ("schema_version", .integer(1)),
            (
                "nodes",
                .array(
                    nodes.map { node in
                        .object([
                            ("id", .string(node.identifier)), ("type", .string(node.kind.rawValue)),
                            ("label", .string(node.label)),
                            ("mentions_s", .array(node.mentions.map { .number($0, decimals: 2) })),
                        ])
                    })
            ),
            (
                "edges",
                .array(
                    edges.map { edge in
                        .object([
                            ("source", .string(edge.source)), ("relation", .string(edge.relation)),
                            ("target", .string(edge.target)), ("weight", .integer(edge.weight)),
                        ])
                    })
            ),
        ])
    }

    /// The graph as GraphML (http://graphml.graphdrawing.org), which Gephi, yEd and NetworkX read.
    var graphML: String {
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">",
            "  <key id=\"type\" for=\"node\" attr.name=\"type\" attr.type=\"string\"/>",
            "  <key id=\"label\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>",
            "  <key id=\"first_s\" for=\"node\" attr.name=\"first_s\" attr.type=\"double\"/>",
            "  <key id=\"relation\" for=\"edge\" attr.name=\"relation\" attr.type=\"string\"/>",
            "  <key id=\"weight\" for=\"edge\" attr.name=\"weight\" attr.type=\"int\"/>",
            "  <graph edgedefault=\"directed\">",
        ]
        for node in nodes {
            let first = node.mentions.first.map { "<data key=\"first_s\">\($0.fixed(2))</data>" } ?? ""
            lines.append(
                "    <node id=\"\(escaped(node.identifier))\"><data key=\"type\">\(node.kind.rawValue)</data>"
                    + "<data key=\"label\">\(escaped(node.label))</data>\(first)</node>")
        }
        for edge in edges {
            lines.append(
                "    <edge source=\"\(escaped(edge.source))\" target=\"\(escaped(edge.target))\">"
                    + "<data key=\"relation\">\(edge.relation)</data><data key=\"weight\">\(edge.weight)</data></edge>"
            )
        }
        return (lines + ["  </graph>", "</graphml>", ""]).joined(separator: "\n")
    }

    private func escaped(_ text: String) -> String {
        // What XML cannot hold at all is no part of a name.
        PlainText.sanitized(text, maximumCharacters: 400).replacing("&", with: "&amp;").replacing(
            "<", with: "&lt;"
        )
        .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}
