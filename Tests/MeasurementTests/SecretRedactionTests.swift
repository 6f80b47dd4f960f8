import Measurement
import Testing

@Suite("Secrets on a command line")
struct SecretRedactionTests {
    @Test(
        "Values whose names speak of secrets are replaced, in every way they are written",
        arguments: [
            (["--token", "s3cr3t"], ["--token", "[redacted]"]),
            (["--token=s3cr3t"], ["--token=[redacted]"]),
            (["--api-key=s3cr3t", "--next"], ["--api-key=[redacted]", "--next"]),
            (["-password", "s3cr3t"], ["-password", "[redacted]"]),
            (["--dbPassword", "s3cr3t"], ["--dbPassword", "[redacted]"]),
            (["--token", "two words"], ["--token", "[redacted]"]),
            (
                ["env", "PGPASSWORD=s3cr3t", "AWS_SECRET_ACCESS_KEY=s3cr3t", "run"],
                ["env", "PGPASSWORD=[redacted]", "AWS_SECRET_ACCESS_KEY=[redacted]", "run"]
            ),
            (["-H", "Authorization: Bearer s3cr3t"], ["-H", "Authorization: [redacted]"]),
            (["-HX-Api-Key:s3cr3t"], ["-HX-Api-Key:[redacted]"]),
            (["--header=Authorization: Basic s3cr3t"], ["--header=Authorization: [redacted]"]),
            (["-u", "me:s3cr3t"], ["-u", "me:[redacted]"]),
            (["http://me:s3cr3t@host:80/p?a=b"], ["http://[redacted]@host:80/p?a=b"]),
            (["--url=https://s3cr3t@host/"], ["--url=https://[redacted]@host/"]),
            (["http://host/?a=b&access_token=s3cr3t&c=d"], ["http://host/?a=b&access_token=[redacted]&c=d"]),
            (
                [
                    "sh", "-c",
                    "TOKEN=s3cr3t run --password 's3cr3t' -H 'Authorization: Bearer s3cr3t' http://u:s3cr3t@h/ end",
                ],
                [
                    "sh", "-c",
                    "TOKEN=[redacted] run --password '[redacted]' -H 'Authorization: [redacted]' http://[redacted]@h/ end",
                ]
            ),
        ])
    func redacted(command: [String], expected: [String]) {
        let redaction = SecretRedaction(command)
        #expect(redaction.words == expected)
        #expect(redaction.count > 0)
        #expect(!redaction.words.joined().contains("s3cr3t"))
        // What is redacted already is not counted again.
        #expect(SecretRedaction(expected).count == 0)
        #expect(SecretRedaction(expected).words == expected)
    }

    @Test(
        "What is no secret stays",
        arguments: [
            ["--max-tokens", "512"], ["--author", "me"], ["--tokenizer=bert"], ["--no-auth", "--verbose"],
            ["-u"],
            ["http://host/path@home?x=y"], ["a:b"], ["python3", "-c", "print(monkey)"], ["--keyboard", "de"],
            ["-e", "s/key/x/"], ["{output_dir}/x=y"], ["12:30:00"], [""], ["="], [":"], ["--"],
        ])
    func kept(command: [String]) {
        let redaction = SecretRedaction(command)
        #expect(redaction.words == command)
        #expect(redaction.count == 0)
    }

    @Test(
        "The values are also found in what a program prints of its arguments, unless they are too short to be recognised"
    )
    func elsewhere() {
        let redaction = SecretRedaction(["--token", "s3cr3t-value", "--key", "ab"])
        #expect(
            redaction.redacted(text: "bad token 's3cr3t-value' in cab") == "bad token '[redacted]' in cab")
    }

    @Test("Paths below the home directory are stored relative to it, and found again")
    func home() {
        let home = "/home/me"
        #expect(HomePath.relative("/home/me/x", home: home) == "~/x")
        #expect(HomePath.relative("--in=/home/me/x:/home/me/y", home: home) == "--in=~/x:~/y")
        #expect(HomePath.relative("/srv/home/me/x", home: home) == "/srv/home/me/x")
        #expect(HomePath.relative("/home/mean/x", home: home) == "/home/mean/x")
        #expect(HomePath.relative("/home/me/x", home: "/") == "/home/me/x")
        #expect(HomePath.relative("/home/me/x", home: nil) == "/home/me/x")
        #expect(HomePath.expanded("~/x", home: home) == "/home/me/x")
        #expect(HomePath.expanded("--in=~/x", home: home) == "--in=/home/me/x")
        #expect(HomePath.expanded("a~/x", home: home) == "a~/x")
    }
}
