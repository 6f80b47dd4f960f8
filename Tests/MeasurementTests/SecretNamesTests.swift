import Measurement
import Testing

@Suite("Names of processes without secrets")
struct SecretNamesTests {
    @Test(
        "A secret of the command, whole or cut by the kernel, and a value whose name speaks are left out; other names stay",
        arguments: [
            ("db hunter2hunter2", "db [redacted]"), ("db hunter2hunt", "db [redacted]"),
            ("hunter2", "[redacted]"), ("token=abc", "token=[redacted]"), ("python3", "python3"),
            ("kworker/0:1", "kworker/0:1"), ("hunt", "hunt"), ("", ""),
        ])
    func names(name: String, shown: String) {
        let redaction = SecretRedaction(["db", "--password", "hunter2hunter2"])
        #expect(redaction.redacted(name: name) == shown)
    }
}
