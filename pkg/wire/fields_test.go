// Shown here: fields mean what they are called, where equal bytes alone could have two of one type swapped; and
// records given as parts are where a copy of them would be.

package wire

import (
	"bytes"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestProduceRequestFields(t *testing.T) {
	theirs := kmsg.ProduceRequest{Version: 9, TransactionID: new("tx"), Acks: -1, TimeoutMillis: 2, Topics: []kmsg.ProduceRequestTopic{{
		Topic: "t", Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: 3, Records: []byte("r")}},
	}}}
	ours := ProduceRequest{TransactionalID: new("tx"), Acks: -1, TimeoutMs: 2, TopicData: []ProduceRequestTopicProduceData{{
		Name: "t", PartitionData: []ProduceRequestPartitionProduceData{{Index: 3, Records: kbin.Records{Bytes: []byte("r")}}},
	}}}
	equal(t, ours.Append(nil, 9), theirs.AppendTo(nil))
}

func TestFetchRequestFields(t *testing.T) {
	theirs := kmsg.FetchRequest{Version: 11, ReplicaID: 1, MaxWaitMillis: 2, MinBytes: 3, MaxBytes: 4, IsolationLevel: 5, SessionID: 6, SessionEpoch: 7,
		Topics: []kmsg.FetchRequestTopic{{Topic: "t", Partitions: []kmsg.FetchRequestTopicPartition{{
			Partition: 8, CurrentLeaderEpoch: 9, FetchOffset: 10, LogStartOffset: 11, PartitionMaxBytes: 12,
		}}}},
		ForgottenTopics: []kmsg.FetchRequestForgottenTopic{{Topic: "f", Partitions: []int32{13}}}, Rack: "r",
	}
	ours := FetchRequest{ReplicaID: 1, MaxWaitMs: 2, MinBytes: 3, MaxBytes: 4, IsolationLevel: 5, SessionID: 6, SessionEpoch: 7,
		Topics: []FetchRequestFetchTopic{{Topic: "t", Partitions: []FetchRequestFetchPartition{{
			Partition: 8, CurrentLeaderEpoch: 9, FetchOffset: 10, LogStartOffset: 11, PartitionMaxBytes: 12,
		}}}},
		ForgottenTopicsData: []FetchRequestForgottenTopic{{Topic: "f", Partitions: []int32{13}}}, RackID: "r",
	}
	equal(t, ours.Append(nil, 11), theirs.AppendTo(nil))
}

func TestFetchResponseFields(t *testing.T) {
	theirs := kmsg.FetchResponse{Version: 11, ThrottleMillis: 1, ErrorCode: 2, SessionID: 3,
		Topics: []kmsg.FetchResponseTopic{{Topic: "t", Partitions: []kmsg.FetchResponseTopicPartition{{
			Partition: 4, ErrorCode: 5, HighWatermark: 6, LastStableOffset: 7, LogStartOffset: 8, PreferredReadReplica: 9,
			AbortedTransactions: []kmsg.FetchResponseTopicPartitionAbortedTransaction{{ProducerID: 10, FirstOffset: 11}}, RecordBatches: []byte("r"),
		}}}},
	}
	ours := FetchResponse{ThrottleTimeMs: 1, ErrorCode: 2, SessionID: 3,
		Responses: []FetchResponseFetchableTopicResponse{{Topic: "t", Partitions: []FetchResponsePartitionData{{
			PartitionIndex: 4, ErrorCode: 5, HighWatermark: 6, LastStableOffset: 7, LogStartOffset: 8, PreferredReadReplica: 9,
			AbortedTransactions: []FetchResponseAbortedTransaction{{ProducerID: 10, FirstOffset: 11}}, Records: kbin.Records{Bytes: []byte("r")},
		}}}},
	}
	equal(t, ours.Append(nil, 11), theirs.AppendTo(nil))
}

func equal(t *testing.T, ours, theirs []byte) {
	t.Helper()
	if !bytes.Equal(ours, theirs) {
		t.Errorf("ours\n%x\nkmsg's\n%x", ours, theirs)
	}
}

func TestFetchResponseWithHoles(t *testing.T) {
	for version := range int16(19) {
		m := fetchResponse()
		want := m.Append(nil, version)
		m.EachRecords(func(r *kbin.Records) { r.Parts = [][]byte{r.Bytes[:100], r.Bytes[100:]} })
		holed := m.Append([]byte{}, version)
		var got []byte
		from := 0
		m.EachRecords(func(r *kbin.Records) {
			got = append(append(got, holed[from:r.At]...), bytes.Join(r.Parts, nil)...)
			from = r.At
		})
		if got = append(got, holed[from:]...); !bytes.Equal(got, want) {
			t.Errorf("v%d: filled, the message has %d bytes and differs from the %d copied", version, len(got), len(want))
		}
	}
}
