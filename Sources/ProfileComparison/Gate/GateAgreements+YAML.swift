public import FrozenProfile
internal import Measurement
internal import YAMLDocument

extension GateAgreements {
    /// The schema that is read and written.
    public static let schemaVersion = SchemaVersion(major: 1, minor: 0)
    /// The most bytes of a file.
    public static let maximumBytes = 1 << 20

    /// Why agreements could not be read: a sentence with the file, the place and the remedy.
    public typealias Refusal = FileRefusal

    /// The file's bytes: the same agreements are always the same bytes.
    public func encode() -> [UInt8] {
        func place(_ target: Target) -> YAMLMapping {
            var mapping = YAMLMapping()
            if let stage = target.stage { mapping["stage"] = .text(stage.text) }
            mapping["metric"] = .text(target.metric.rawValue)
            mapping["unit"] = .text(target.metric.unit.gateName)
            return mapping
        }
        let agreed = ceilings.map { ceiling in
            var mapping = place(ceiling.target)
            mapping["maximum"] = .number(ceiling.maximum, decimals: ceiling.target.metric.decimals)
            return YAMLNode.mapping(mapping)
        }
        let accepted = acceptances.map { acceptance in
            let decimals = acceptance.target.metric.decimals
            var mapping = place(acceptance.target)
            mapping["baseline"] = .text(acceptance.baseline)
            mapping["baseline_value"] = .number(acceptance.baselineValue, decimals: decimals)
            mapping["version"] = .text(acceptance.version)
            mapping["ceiling"] = .number(acceptance.ceiling, decimals: decimals)
            mapping["until"] = .text(acceptance.until.description)
            mapping["reason"] = .text(acceptance.reason)
            mapping["owner"] = .text(acceptance.owner)
            mapping["link"] = .text(acceptance.link)
            return YAMLNode.mapping(mapping)
        }
        return YAMLDocument.emit(
            .mapping([
                "schema_version": .text(Self.schemaVersion.description),
                "baseline_max_age_days": .integer(Int64(maximumBaselineAge)),
                "ceilings": .sequence(agreed), "accepted": .sequence(accepted),
            ]), comment: "What the gate remembers: docs/formats/gate.md explains every key.")
    }

    /// Reads agreements. Whatever is not understood is refused: a gate that skips a line would pass what the line forbids.
    ///
    /// - Parameters:
    ///   - bytes: The content, at most ``maximumBytes``.
    ///   - file: Its path, for messages.
    public static func decode(_ bytes: [UInt8], file: String) throws(Refusal) -> GateAgreements {
        let root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLDocument.parse(bytes, limit: maximumBytes, dialect: .core)
        } catch {
            throw Refusal(description: "'\(PlainText.sanitized(file))' cannot be read as a gate. \(error)")
        }
        let reader = GateReader(file: file)
        let fields = try reader.fields(
            root, at: "", required: ["schema_version"],
            optional: ["baseline_max_age_days", "ceilings", "accepted"])
        guard fields["schema_version"]?.asText == schemaVersion.description else {
            throw reader.refusal("schema_version", "should be the string '\(schemaVersion)'")
        }
        var agreements = GateAgreements()
        if let age = fields["baseline_max_age_days"] {
            guard let days = age.asInteger, (1...3650).contains(days) else {
                throw reader.refusal("baseline_max_age_days", "should be a whole number from 1 to 3650")
            }
            agreements.maximumBaselineAge = Int(days)
        }
        for (place, node) in try reader.items(fields["ceilings"], at: "ceilings") {
            let ceiling = try reader.ceiling(node, at: place)
            guard !agreements.ceilings.contains(where: { $0.target == ceiling.target }) else {
                throw reader.refusal(place, "is a second ceiling of \(ceiling.target)")
            }
            agreements.ceilings.append(ceiling)
        }
        for (place, node) in try reader.items(fields["accepted"], at: "accepted") {
            let acceptance = try reader.acceptance(node, at: place)
            guard agreements.acceptance(of: acceptance.target) == nil else {
                throw reader.refusal(place, "is a second acceptance of \(acceptance.target)")
            }
            agreements.acceptances.append(acceptance)
        }
        return agreements
    }
}

/// Reads parts of the file, and says where it is not as it should be.
private struct GateReader {
    let file: String

    func refusal(_ place: String, _ problem: String) -> GateAgreements.Refusal {
        let shown = place.isEmpty ? "the document" : PlainText.sanitized(place, maximumCharacters: 200)
        return .init(
            description: "'\(PlainText.sanitized(file))': \(shown) \(problem). Correct it "
                + "(docs/formats/gate.md).")
    }

    func fields(
        _ node: YAMLNode, at place: String, required: [String], optional: [String]
    ) throws(GateAgreements.Refusal) -> YAMLMapping {
        guard let mapping = node.asMapping else {
            throw refusal(place, "is \(node.kindInWords), but should be a mapping")
        }
        for key in mapping.keys where !(required + optional).contains(key) {
            let nearest = NearestName.to(key, among: required + optional)
            throw refusal(
                place,
                "has no key '\(PlainText.sanitized(key, maximumCharacters: 60))'"
                    + (nearest.map { "; perhaps \($0) is meant" } ?? ""))
        }
        for key in required where mapping[key] == nil { throw refusal(place, "lacks '\(key)'") }
        return mapping
    }

    func items(
        _ node: YAMLNode?, at place: String
    ) throws(GateAgreements.Refusal) -> [(String, YAMLNode)] {
        guard let node else { return [] }
        guard let items = node.asSequence else {
            throw refusal(place, "is \(node.kindInWords), but should be a list")
        }
        return items.enumerated().map { ("\(place)[\($0.offset)]", $0.element) }
    }

    func ceiling(_ node: YAMLNode, at place: String) throws(GateAgreements.Refusal) -> GateAgreements.Ceiling
    {
        let fields = try fields(
            node, at: place, required: ["metric", "unit", "maximum"], optional: ["stage"])
        return GateAgreements.Ceiling(
            target: try target(fields, at: place), maximum: try number(fields, "maximum", at: place))
    }

    func acceptance(
        _ node: YAMLNode, at place: String
    ) throws(GateAgreements.Refusal) -> GateAgreements.Acceptance {
        let fields = try fields(
            node, at: place,
            required: [
                "metric", "unit", "baseline", "baseline_value", "version", "ceiling", "until", "reason",
                "owner", "link",
            ], optional: ["stage"])
        let written = try text(fields, "until", at: place)
        guard let until = CalendarDay(written) else {
            throw refusal(
                "\(place).until",
                "is '\(PlainText.sanitized(written, maximumCharacters: 40))', which is no day "
                    + "of the form YYYY-MM-DD")
        }
        let acceptance = GateAgreements.Acceptance(
            target: try target(fields, at: place), baseline: try text(fields, "baseline", at: place),
            baselineValue: try number(fields, "baseline_value", at: place),
            version: try text(fields, "version", at: place),
            ceiling: try number(fields, "ceiling", at: place),
            until: until, reason: try text(fields, "reason", at: place),
            owner: try text(fields, "owner", at: place), link: try text(fields, "link", at: place))
        guard acceptance.ceiling > acceptance.baselineValue else {
            throw refusal("\(place).ceiling", "is not more than baseline_value, so nothing is accepted")
        }
        return acceptance
    }

    private func target(
        _ fields: YAMLMapping, at place: String
    ) throws(GateAgreements.Refusal) -> GateAgreements.Target {
        var stage: StageName?
        if fields["stage"] != nil {
            guard let name = StageName(try text(fields, "stage", at: place)) else {
                throw refusal("\(place).stage", "is empty")
            }
            stage = name
        }
        let key = try text(fields, "metric", at: place)
        guard let metric = Metric(rawValue: key), GateAgreements.metrics.contains(metric) else {
            throw refusal(
                "\(place).metric",
                "is '\(PlainText.sanitized(key, maximumCharacters: 60))', but should be one of "
                    + GateAgreements.metrics.map(\.rawValue).joined(separator: ", "))
        }
        let unit = try text(fields, "unit", at: place)
        guard unit == metric.unit.gateName else {
            throw refusal(
                "\(place).unit",
                "is '\(PlainText.sanitized(unit, maximumCharacters: 20))', but \(key) is in "
                    + "'\(metric.unit.gateName)'")
        }
        return GateAgreements.Target(stage: stage, metric: metric)
    }

    private func text(
        _ fields: YAMLMapping, _ key: String, at place: String
    ) throws(GateAgreements.Refusal) -> String {
        guard let text = fields[key]?.asText, text.contains(where: { !$0.isWhitespace }), text.count <= 1000
        else { throw refusal("\(place).\(key)", "should be a text of 1 to 1000 characters") }
        return text
    }

    private func number(
        _ fields: YAMLMapping, _ key: String, at place: String
    ) throws(GateAgreements.Refusal) -> Double {
        guard let value = fields[key]?.asNumber, value.isFinite, value > 0, value < 1e15 else {
            throw refusal("\(place).\(key)", "should be a number greater than 0")
        }
        return value
    }
}
