internal import JSONDocument
internal import LinuxSystem
internal import Measurement

/// Fetches a feed, and keeps it, so that the next run need not fetch what has not changed.
struct FeedStore {
    let client: HTTPClient
    let output: OutputFiles

    /// A feed with the address against which it is resolved.
    struct Fetched {
        var feed: Feed
        var address: String
        /// Whether the server said that it is the one that is kept.
        var isUnchanged: Bool
    }

    func fetch(_ url: String) throws(PipelineFailure) -> Fetched {
        let kept = kept(of: url)
        let fetched: (body: [UInt8], response: HTTPClient.Response)?
        do throws(HTTPError) {
            fetched = try client.get(url, ifChangedSince: kept?.validators)
        } catch {
            throw PipelineFailure(.input, "\(error) Check the feed's address.")
        }
        guard let body = fetched?.body ?? kept?.body,
            let address = fetched?.response.effectiveURL ?? kept?.address
        else {
            throw PipelineFailure(
                .input, "'\(WebAddress.shown(url))' was not sent. Check the feed's address.")
        }
        let type = fetched?.response.head.contentType ?? kept?.contentType
        let feed: Feed
        do throws(FeedError) {
            feed = try FeedParser.parse(body, contentType: type)
        } catch {
            throw PipelineFailure(.input, "'\(WebAddress.shown(url))' \(error)")
        }
        if let fetched { try keep(fetched.body, fetched.response, of: url) }
        return Fetched(feed: feed, address: address, isUnchanged: fetched == nil)
    }

    private struct Kept {
        var body: [UInt8]
        var address: String
        var contentType: String?
        var validators: Validators
    }

    private func kept(of url: String) -> Kept? {
        guard Files.isRegularFile(output.feedNote), Files.isRegularFile(output.feedBody) else { return nil }
        do throws(Files.ReadError) {
            let fields = JSONValue.parse(try Files.read(output.feedNote, limit: 1 << 16))?.object ?? [:]
            let body = try Files.read(output.feedBody, limit: FeedText.maximumBytes)
            func text(_ key: String) -> String? { fields[key]?.string.flatMap { $0.isEmpty ? nil : $0 } }
            // Addresses may hold keys, so only their digests are stored; a redirected feed is fetched anew.
            guard text("address_sha256") == Self.digest(url), text("redirected") == nil,
                text("body_digest") == Self.digest(of: body)
            else { return nil }
            let validators = Validators(entityTag: text("entity_tag"), lastModified: text("last_modified"))
            if validators == Validators() { return nil }
            return Kept(body: body, address: url, contentType: text("content_type"), validators: validators)
        } catch {
            // What cannot be read is fetched again.
            return nil
        }
    }

    private func keep(_ body: [UInt8], _ response: HTTPClient.Response, of url: String)
        throws(PipelineFailure)
    {
        // What opens the feed or its media is not left behind: such a feed is fetched whole each time.
        guard !WebAddress.isSecretIn(body) else { return try forget() }
        let head = response.head
        let fields: [(String, JSONOutput)] = [
            ("address_sha256", .string(Self.digest(url))),
            ("redirected", .string(response.effectiveURL == url ? "" : "yes")),
            ("body_digest", .string(Self.digest(of: body))),
            ("content_type", .string(head.contentType ?? "")),
            ("entity_tag", .string(head.validators.entityTag ?? "")),
            ("last_modified", .string(head.validators.lastModified ?? "")),
        ]
        do throws(SystemError) {
            try Files.replace(output.feedBody, with: body)
        } catch {
            throw .output(error)
        }
        try output.write(JSONOutput.object(fields).text() + "\n", to: output.feedNote)
    }

    private func forget() throws(PipelineFailure) {
        do throws(SystemError) {
            for path in [output.feedNote, output.feedBody] where Files.exists(path) { try Files.remove(path) }
        } catch {
            throw .output(error)
        }
    }

    private static func digest(_ text: String) -> String { digest(of: Array(text.utf8)) }

    private static func digest(of bytes: [UInt8]) -> String {
        var digest = ContentDigest()
        digest.add(bytes)
        return digest.text
    }
}
