extension Transcript {
    /// The transcript with its times, as the podcast namespace's JSON format has it (`segments` of `startTime`, `endTime`,
    /// `speaker` and `body`), with each word's beginning besides.
    var json: JSONOutput {
        .object([
            ("version", .string("1.0.0")),
            (
                "segments",
                .array(
                    segments.map { segment in
                        var fields: [(String, JSONOutput)] = [
                            ("startTime", .number(segment.startSeconds, decimals: 2)),
                            ("endTime", .number(segment.endSeconds, decimals: 2)),
                        ]
                        if let speaker = segment.speaker { fields.append(("speaker", .string(speaker))) }
                        fields.append(("body", .string(segment.text)))
                        if segment.isAdvertisement { fields.append(("advertisement", .boolean(true))) }
                        fields.append(("words", .array(segment.words.map { .string($0) })))
                        fields.append(
                            ("word_starts", .array(segment.wordStarts.map { .number($0, decimals: 2) })))
                        return .object(fields)
                    })
            ),
        ])
    }
}
