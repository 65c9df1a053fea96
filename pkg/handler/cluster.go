package handler

import (
	"math"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// What clients are told of the cluster, which is one node that leads every partition and always has. Its id is the one
// that Kafka's own examples give the first node; the leader epoch is that of a partition that never had another leader.
const (
	nodeID      int32 = 1
	leaderEpoch int32 = 0
	noEpoch     int32 = -1 // from a client that does not say which leader it believes in
)

// What may be done to a topic and to the cluster where nobody is asked who they are, as bits numbered by Kafka's
// AclOperation: all that such a resource supports (KIP-430).
const (
	opRead, opWrite, opCreate, opDelete, opAlter, opDescribe int32 = 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8
	opClusterAction, opDescribeConfigs, opAlterConfigs       int32 = 1 << 9, 1 << 10, 1 << 11
	opIdempotentWrite                                        int32 = 1 << 12

	topicOperations   = opRead | opWrite | opCreate | opDelete | opAlter | opDescribe | opDescribeConfigs | opAlterConfigs
	groupOperations   = opRead | opDelete | opDescribe | opDescribeConfigs | opAlterConfigs
	operationsUntold  = math.MinInt32 // to those who did not ask
	clusterOperations = opCreate | opAlter | opDescribe | opClusterAction | opDescribeConfigs | opAlterConfigs | opIdempotentWrite
)

// checkEpoch compares the leader epoch that a client believes in with ours (KIP-320).
func checkEpoch(claimed int32) kerr.Code {
	switch {
	case claimed == noEpoch || claimed == leaderEpoch:
		return kerr.None
	case claimed < leaderEpoch:
		return kerr.FencedLeaderEpoch
	}
	return kerr.UnknownLeaderEpoch
}

// message is what a response may say of an error beside its code: the error's text without the code's name at the end.
// Of errors without a code nothing is said: they are ours, and the log has them.
func message(err error) *string {
	code := kerr.Of(err)
	if code == kerr.None || code == kerr.UnknownServerError {
		return nil
	}
	text, said := strings.CutSuffix(err.Error(), ": "+code.Name())
	if !said {
		return nil
	}
	return &text
}

// knownCode is the code for a client that knows KAFKA_STORAGE_ERROR, or one that does not (KIP-112) and takes it for fatal.
func knownCode(code kerr.Code, knowsStorageError bool) kerr.Code {
	if code == kerr.KafkaStorageError && !knowsStorageError {
		return kerr.NotLeaderOrFollower
	}
	return code
}

// unless is None when ok, else code.
func unless(ok bool, code kerr.Code) kerr.Code {
	if ok {
		return kerr.None
	}
	return code
}
