package main

// unserved is what does not run against Heraclitus, test by test, and why. A name stands for its subtests as well.
var unserved = map[string]string{
	"TestTxnEtl": transactions,

	"TestGroupSimple/848":            consumerProtocol,
	"TestGroupETL/range/848":         consumerProtocol,
	"TestGroupETL/sticky/848":        consumerProtocol,
	"TestGroupETL/sticky/848/static": consumerProtocol,
	"Test848RegexBrokerResolves":     consumerProtocol,

	"TestShareGroup":                     shareGroups,
	"TestShareGroupETL":                  shareGroups,
	"TestShareGroupAckOnClose":           shareGroups,
	"TestShareGroupOffsetsAdmin":         shareGroups,
	"TestConsumeRegexShareSkipsInternal": shareGroups,

	"TestConsumeRegex": "it wants the topic __consumer_offsets to be there; here offsets are not kept in a topic",

	"TestIssueProduceBrokerTooOldFailsRecords": "it is for brokers that do not serve Produce 2",
}

const (
	transactions     = "transactions are not served yet"
	consumerProtocol = "the newer consumer protocol (KIP-848) is not served yet"
	shareGroups      = "share groups (KIP-932) are not served"
)

// notRun are those that do not find out by themselves that a server has not what they want, and would fail.
var notRun = []string{"TestTxnEtl", "TestConsumeRegex"}
