internal import Measurement

/// Makes an episode's graph: who speaks, what is named, what it is about, and what is said together.
enum KnowledgeExtraction {
    /// No graph has more names or topics than these.
    static let maximumNames = 40
    static let maximumTopics = 10
    /// Of a name so many mentions are kept.
    static let maximumMentions = 50

    static func graph(
        of transcript: Transcript, episode task: EpisodeTask, feed: Feed, speakers: [SpeakerCandidate],
        insights: [Insight]
    ) -> KnowledgeGraph {
        var builder = Builder(task)
        for speaker in speakers {
            let relation =
                ["host": "hosts", "guest": "guest_on", "reader": "reads"][speaker.role.rawValue]
                ?? "speaks_on"
            builder.add(.init(text: speaker.name, kind: kind(ofSpeaker: speaker.name)), relation: relation)
        }
        let text = [task.title, task.episode.summary ?? "", feed.title].joined(separator: ". ")
        for name in NameRecognition.names(in: text) { builder.add(name, relation: "named_in") }
        let segments = transcript.content
        for segment in segments {
            let names =
                NameRecognition.names(in: segment.text) + NameRecognition.names(inWords: segment.words)
            for name in names { builder.add(name, relation: "mentioned_in") }
        }
        for topic in topics(of: segments) {
            builder.add(.init(text: topic, kind: .topic), relation: "topic_of")
        }
        builder.connect(segments)
        builder.add(insights)
        return builder.graph
    }

    /// A feed's author is often a group.
    private static func kind(ofSpeaker name: String) -> KnowledgeGraph.Kind {
        NameRecognition.isOrganisation(name) ? .organisation : .person
    }

    /// The terms with the greatest weight over all segments: frequency times inverse document frequency.
    private static func topics(of segments: [Transcript.Segment]) -> [String] {
        let texts = segments.map(\.words)
        let weights = TermWeights(texts: texts)
        var counts: [String: Int] = [:]
        for words in texts {
            for word in words where TermWeights.isContentWord(word) { counts[word, default: 0] += 1 }
        }
        let ranked = zip(weights.terms, weights.weights).map {
            (term: $0, weight: Double(counts[$0] ?? 0) * $1)
        }
        .sorted { ($0.weight, $1.term) > ($1.weight, $0.term) }
        return ranked.prefix(maximumTopics).map(\.term)
    }

    /// The graph as it grows. Nodes and edges come in the order in which they are found, so the same episode gives the same
    /// bytes.
    private struct Builder {
        var graph = KnowledgeGraph()
        private let root: String
        private var indices: [String: Int] = [:]
        /// The words of each node, by which it is found in the transcript.
        private var words: [[String]] = []

        init(_ task: EpisodeTask) {
            root = "episode:\(task.name)"
            graph.nodes.append(.init(identifier: root, kind: .episode, label: task.title, mentions: []))
            words.append([])
        }

        mutating func add(_ name: RecognizedName, relation: String) {
            let label = PlainText.sanitized(name.text, maximumCharacters: 100)
            let key = label.lowercased()
            guard !key.isEmpty, indices[key] == nil, graph.nodes.count <= maximumNames + maximumTopics else {
                return
            }
            let identifier = "\(name.kind.rawValue):\(key.replacing(" ", with: "-"))"
            indices[key] = graph.nodes.count
            graph.nodes.append(.init(identifier: identifier, kind: name.kind, label: label, mentions: []))
            words.append(Transcript.words(of: label))
            graph.edges.append(.init(source: identifier, relation: relation, target: root, weight: 1))
        }

        /// Finds where each node is said, and which are said in one segment.
        mutating func connect(_ segments: [Transcript.Segment]) {
            var together: [[Int]: Int] = [:]
            for segment in segments {
                var present: [Int] = []
                for index in graph.nodes.indices.dropFirst() where !words[index].isEmpty {
                    guard let range = segment.words.firstRange(of: words[index]) else { continue }
                    present.append(index)
                    if graph.nodes[index].mentions.count < maximumMentions {
                        graph.nodes[index].mentions.append(segment.wordStarts[range.lowerBound])
                    }
                }
                for (offset, first) in present.enumerated() {
                    for second in present[(offset + 1)...] { together[[first, second], default: 0] += 1 }
                }
            }
            for (pair, count) in together.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                graph.edges.append(
                    .init(
                        source: graph.nodes[pair[0]].identifier, relation: "said_with",
                        target: graph.nodes[pair[1]].identifier, weight: count))
            }
        }

        /// Connects insights with what they name.
        mutating func add(_ insights: [Insight]) {
            let named = graph.nodes.indices.dropFirst()
            for insight in insights {
                let said = Transcript.words(of: insight.quote)
                let identifier = "insight:\(insight.identifier)"
                graph.nodes.append(
                    .init(
                        identifier: identifier, kind: .insight, label: insight.quote,
                        mentions: [insight.startSeconds]))
                graph.edges.append(.init(source: identifier, relation: "insight_of", target: root, weight: 1))
                for index in named where !words[index].isEmpty && said.contains(words[index]) {
                    graph.edges.append(
                        .init(
                            source: identifier, relation: "about", target: graph.nodes[index].identifier,
                            weight: 1))
                }
            }
        }
    }
}
