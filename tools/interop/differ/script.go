package differ

import (
	"fmt"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Script is a scripted conversation, which is held once for each version of the API it is about.
type Script struct {
	Key   int16  // of the API
	Name  string // unique within the API
	From  int16  // first version it makes sense in
	Until int16  // first version it makes no sense in any more; 0 stands for none
	// Needs are versions of other APIs that a server must serve too: with them, answers may come from an older Kafka.
	Needs []Need
	SASL  bool // it needs a listener that asks clients who they are
	Hold  func(c *Conversation)
}

// Need is a version of an API.
type Need struct{ Key, Version int16 }

// Span is a range of versions, both included.
type Span struct{ Min, Max int16 }

// Has says whether v lies in the span.
func (s Span) Has(v int16) bool { return s.Min <= v && v <= s.Max }

// Served are the APIs and versions that scripts are about: those which Heraclitus serves so far.
var Served = map[int16]Span{
	wire.KeyProduce:                      {0, 11},
	wire.KeyFetch:                        {0, 17},
	wire.KeyListOffsets:                  {0, 10},
	wire.KeyMetadata:                     {0, 13},
	wire.KeyOffsetCommit:                 {0, 9},
	wire.KeyOffsetFetch:                  {0, 9},
	wire.KeyFindCoordinator:              {0, 6},
	wire.KeyJoinGroup:                    {0, 9},
	wire.KeyHeartbeat:                    {0, 4},
	wire.KeyLeaveGroup:                   {0, 5},
	wire.KeySyncGroup:                    {0, 5},
	wire.KeyDescribeGroups:               {0, 6},
	wire.KeyListGroups:                   {0, 5},
	wire.KeySaslHandshake:                {0, 1},
	wire.KeyApiVersions:                  {0, 4},
	wire.KeyCreateTopics:                 {0, 7},
	wire.KeyDeleteTopics:                 {0, 6},
	wire.KeyDeleteRecords:                {0, 2},
	wire.KeyInitProducerID:               {0, 5},
	wire.KeyOffsetForLeaderEpoch:         {0, 4},
	wire.KeyDescribeAcls:                 {0, 3},
	wire.KeyDescribeConfigs:              {0, 4},
	wire.KeyAlterConfigs:                 {0, 2},
	wire.KeyIncrementalAlterConfigs:      {0, 1},
	wire.KeyDescribeLogDirs:              {0, 5},
	wire.KeySaslAuthenticate:             {0, 2},
	wire.KeyCreatePartitions:             {0, 3},
	wire.KeyDeleteGroups:                 {0, 2},
	wire.KeyElectLeaders:                 {0, 2},
	wire.KeyListPartitionReassignments:   {0, 0},
	wire.KeyOffsetDelete:                 {0, 0},
	wire.KeyDescribeClientQuotas:         {0, 1},
	wire.KeyDescribeUserScramCredentials: {0, 0},
	wire.KeyAlterUserScramCredentials:    {0, 0},
	wire.KeyDescribeCluster:              {0, 2},
}

// Versions are the versions s is held in.
func (s Script) Versions() Span {
	v := Served[s.Key]
	v.Min = max(v.Min, s.From)
	if s.Until > 0 {
		v.Max = min(v.Max, s.Until-1)
	}
	return v
}

// Title names the script among all.
func (s Script) Title() string { return wire.Name(s.Key) + ": " + s.Name }

// Scripts are all scripts there are. To add one is to add a literal to one of these lists.
func Scripts() []Script {
	all := slices.Concat(produceScripts, idempotenceScripts, batchScripts, messageSetScripts,
		fetchScripts, fetchFormatScripts, fetchSessionScripts, listOffsetsScripts, metadataScripts, apiVersionsScripts,
		createTopicsScripts, deleteTopicsScripts, createPartitionsScripts,
		findCoordinatorScripts, joinGroupScripts, staticMemberScripts, syncGroupScripts, heartbeatScripts, leaveGroupScripts,
		describeGroupsScripts, listGroupsScripts, deleteGroupsScripts, offsetCommitScripts, offsetFetchScripts, offsetDeleteScripts,
		saslHandshakeScripts, saslAuthenticateScripts, scramScripts, userScripts, deleteRecordsScripts,
		describeConfigsScripts, alterConfigsScripts,
		initProducerIDScripts, describeClusterScripts, offsetForLeaderEpochScripts, toolScripts, frameScripts)
	titles := map[string]bool{}
	for _, s := range all {
		if titles[s.Title()] {
			panic(fmt.Sprintf("BUG: two scripts are called %q", s.Title()))
		}
		titles[s.Title()] = true
	}
	return all
}
