import Mail
import Testing

@testable import Access

@Suite struct PatternTests {
    @Test(arguments: [
        ("*", "a/b/c", true), ("%", "a/b", false), ("%", "ab", true), ("a/%", "a/b", true),
        ("a/%", "a", false), ("a*c", "a/b/c", true), ("a%c", "a/b/c", false), ("%/%", "a/b", true),
        ("*%", "a/b", true), ("%*", "a/b", true), ("inbox", "INBOX", true),
        ("INBOX/x", "INBOX/x", true),
        ("inbox/x", "INBOX/x", true), ("inbox/X", "INBOX/x", false), ("i%", "INBOX", true),
        ("A", "a", false), ("", "a", false), ("a**b", "aXb", true), ("*b*", "abc", true),
    ])
    func `Patterns match whole names`(pattern: String, name: String, expected: Bool) {
        #expect(MailboxPattern(reference: "", pattern: pattern).matches(name) == expected)
    }

    @Test func `A hostile pattern costs no more than both lengths`() {
        let pattern = String(repeating: "*%a", count: 300)
        let name = String(repeating: "a/", count: 400) + "b"
        #expect(!MailboxPattern(reference: "", pattern: pattern).matches(name))
    }

    @Test func `Batches hold every number once and never more than their size`() {
        let set = UIDSet([1...10, 20...20, 30...65])
        for size in [1, 3, 7, 100] {
            let batches = set.batches(of: size)
            #expect(batches.allSatisfy { $0.count <= size })
            #expect(batches.reduce(UIDSet()) { $0.union($1) } == set)
            #expect(batches.reduce(0) { $0 + $1.count } == set.count)
        }
        #expect(UIDSet(1...UInt32.max).batches(of: 1 << 31).count == 2)
    }
}
