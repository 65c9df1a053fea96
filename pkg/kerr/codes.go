package kerr

// Every code of Kafka 4.4.0. What a code tells a client in one API or another, the handler of that API says.
const (
	UnknownServerError                     Code = -1  // nothing more exact fits: the server met an error of its own; its log has the reason
	None                                   Code = 0   // no error
	OffsetOutOfRange                       Code = 1   // the offset lies before the log start or past the high watermark
	CorruptMessage                         Code = 2   // a record batch fails its checksum, or its lengths contradict each other
	UnknownTopicOrPartition                Code = 3   // there is no such topic, or the topic has no such partition
	InvalidFetchSize                       Code = 4   // the fetch size asked for is not valid
	LeaderNotAvailable                     Code = 5   // no leader for the partition yet; a new topic may answer so for a moment
	NotLeaderOrFollower                    Code = 6   // the broker asked does not lead the partition, or holds no copy of it
	RequestTimedOut                        Code = 7   // the request was not done in the time it allowed
	BrokerNotAvailable                     Code = 8   // the broker is not there
	ReplicaNotAvailable                    Code = 9   // the copy of the partition asked for is not there
	MessageTooLarge                        Code = 10  // a record batch is larger than the topic or the server allows
	StaleControllerEpoch                   Code = 11  // the controller has moved since the request was made
	OffsetMetadataTooLarge                 Code = 12  // the metadata string committed with an offset is longer than allowed
	NetworkException                       Code = 13  // the connection ended before the answer came; brokers never send it
	CoordinatorLoadInProgress              Code = 14  // the coordinator is still reading its state
	CoordinatorNotAvailable                Code = 15  // there is no coordinator to be had yet
	NotCoordinator                         Code = 16  // the broker asked does not coordinate this group or transactional id
	InvalidTopicException                  Code = 17  // the topic's name is not legal, or the topic is internal
	RecordListTooLarge                     Code = 18  // a record batch is larger than a log segment
	NotEnoughReplicas                      Code = 19  // too few in-sync replicas to accept the write
	NotEnoughReplicasAfterAppend           Code = 20  // the write is in the log, but on too few in-sync replicas
	InvalidRequiredAcks                    Code = 21  // acks is none of -1, 0 and 1
	IllegalGeneration                      Code = 22  // the member is of another generation of the group
	InconsistentGroupProtocol              Code = 23  // the member shares no protocol with the rest of its group, or names none at all
	InvalidGroupID                         Code = 24  // the group id is not legal, mostly empty
	UnknownMemberID                        Code = 25  // the group has no such member
	InvalidSessionTimeout                  Code = 26  // the session timeout is outside what the server allows
	RebalanceInProgress                    Code = 27  // the group is rebalancing: join again
	InvalidCommitOffsetSize                Code = 28  // the commit is larger than allowed
	TopicAuthorizationFailed               Code = 29  // the principal may not do this to the topic
	GroupAuthorizationFailed               Code = 30  // the principal may not do this to the group
	ClusterAuthorizationFailed             Code = 31  // the principal may not do this to the cluster
	InvalidTimestamp                       Code = 32  // a record's timestamp is too far from the server's clock, or not legal
	UnsupportedSaslMechanism               Code = 33  // the server does not offer the SASL mechanism asked for
	IllegalSaslState                       Code = 34  // the request does not belong at this point of the SASL exchange
	UnsupportedVersion                     Code = 35  // the server does not serve this version of the API
	TopicAlreadyExists                     Code = 36  // a topic of this name exists
	InvalidPartitions                      Code = 37  // the number of partitions is not legal
	InvalidReplicationFactor               Code = 38  // the replication factor is below one or above the number of brokers
	InvalidReplicaAssignment               Code = 39  // the assignment of replicas to brokers is not legal
	InvalidConfig                          Code = 40  // a configuration key or value is not legal
	NotController                          Code = 41  // the broker asked is not the controller
	InvalidRequest                         Code = 42  // the request decodes, but contradicts itself or the protocol
	UnsupportedForMessageFormat            Code = 43  // the record format in use cannot do what was asked
	PolicyViolation                        Code = 44  // the request breaks a policy of the server
	OutOfOrderSequenceNumber               Code = 45  // a producer's sequence number leaves a gap
	DuplicateSequenceNumber                Code = 46  // a producer's sequence number was seen before, and its batch is no longer remembered
	InvalidProducerEpoch                   Code = 47  // the producer's epoch is old
	InvalidTxnState                        Code = 48  // the transaction is in a state that does not allow this
	InvalidProducerIDMapping               Code = 49  // the producer id does not belong to the transactional id
	InvalidTransactionTimeout              Code = 50  // the transaction timeout is longer than the server allows
	ConcurrentTransactions                 Code = 51  // another operation on the same transaction is still under way
	TransactionCoordinatorFenced           Code = 52  // the transaction coordinator that wrote a marker has been replaced
	TransactionalIDAuthorizationFailed     Code = 53  // the principal may not use the transactional id
	SecurityDisabled                       Code = 54  // the server runs without the security feature asked about
	OperationNotAttempted                  Code = 55  // this part of the request was not tried, because another part failed
	KafkaStorageError                      Code = 56  // the disk failed under the log
	LogDirNotFound                         Code = 57  // the broker has no such log directory
	SaslAuthenticationFailed               Code = 58  // the SASL exchange ended without a proof of identity
	UnknownProducerID                      Code = 59  // the server remembers nothing of this producer id in this partition
	ReassignmentInProgress                 Code = 60  // the partition is already being reassigned
	DelegationTokenAuthDisabled            Code = 61  // the server has delegation tokens turned off
	DelegationTokenNotFound                Code = 62  // there is no such delegation token
	DelegationTokenOwnerMismatch           Code = 63  // the principal neither owns nor may renew the delegation token
	DelegationTokenRequestNotAllowed       Code = 64  // delegation tokens cannot be asked for on a connection like this
	DelegationTokenAuthorizationFailed     Code = 65  // the principal may not do this to the delegation token
	DelegationTokenExpired                 Code = 66  // the delegation token has expired
	InvalidPrincipalType                   Code = 67  // the kind of principal is not supported
	NonEmptyGroup                          Code = 68  // the group still has members
	GroupIDNotFound                        Code = 69  // there is no such group
	FetchSessionIDNotFound                 Code = 70  // there is no such fetch session, or no longer (KIP-227)
	InvalidFetchSessionEpoch               Code = 71  // the fetch session's epoch is not the next one (KIP-227)
	ListenerNotFound                       Code = 72  // the leader does not have the listener the client came in by
	TopicDeletionDisabled                  Code = 73  // the server does not let topics be deleted
	FencedLeaderEpoch                      Code = 74  // the client knows an older leader epoch than the broker (KIP-320)
	UnknownLeaderEpoch                     Code = 75  // the client knows a newer leader epoch than the broker (KIP-320)
	UnsupportedCompressionType             Code = 76  // the version of the request does not allow this compression (KIP-110)
	StaleBrokerEpoch                       Code = 77  // the broker has registered anew since
	OffsetNotAvailable                     Code = 78  // the new leader's high watermark has yet to catch up (KIP-207)
	MemberIDRequired                       Code = 79  // join again, with the member id in this answer (KIP-394)
	PreferredLeaderNotAvailable            Code = 80  // the preferred leader is not available for an election
	GroupMaxSizeReached                    Code = 81  // the group has as many members as the server allows (KIP-389)
	FencedInstanceID                       Code = 82  // another member has taken over this static instance id (KIP-345)
	EligibleLeadersNotAvailable            Code = 83  // no replica that could lead is available
	ElectionNotNeeded                      Code = 84  // the partition has the leader it would elect
	NoReassignmentInProgress               Code = 85  // the partition is not being reassigned
	GroupSubscribedToTopic                 Code = 86  // the group is subscribed to the topic whose offsets were to be deleted
	InvalidRecord                          Code = 87  // a record is refused by itself; the response may say which (KIP-467)
	UnstableOffsetCommit                   Code = 88  // a transaction still holds offsets of this partition (KIP-447)
	ThrottlingQuotaExceeded                Code = 89  // the client has used up its quota for now (KIP-599)
	ProducerFenced                         Code = 90  // a newer producer has taken over the transactional id
	ResourceNotFound                       Code = 91  // the request names a resource that does not exist
	DuplicateResource                      Code = 92  // the request names a resource twice
	UnacceptableCredential                 Code = 93  // the credential is not good enough to be stored
	InconsistentVoterSet                   Code = 94  // the voters of a quorum disagree about who they are
	InvalidUpdateVersion                   Code = 95  // the version of an update is not legal
	FeatureUpdateFailed                    Code = 96  // the finalized features could not be updated
	PrincipalDeserializationFailure        Code = 97  // a forwarded request's principal could not be read
	SnapshotNotFound                       Code = 98  // there is no such snapshot
	PositionOutOfRange                     Code = 99  // the position is outside the snapshot
	UnknownTopicID                         Code = 100 // there is no topic of this id (KIP-516)
	DuplicateBrokerRegistration            Code = 101 // another broker has registered this id
	BrokerIDNotRegistered                  Code = 102 // no broker has registered this id
	InconsistentTopicID                    Code = 103 // the log is of a topic with another id than the request's
	InconsistentClusterID                  Code = 104 // the request was meant for another cluster
	TransactionalIDNotFound                Code = 105 // nothing is known of this transactional id
	FetchSessionTopicIDError               Code = 106 // the fetch session mixes names and ids of topics
	IneligibleReplica                      Code = 107 // a replica proposed as in-sync cannot be
	NewLeaderElected                       Code = 108 // the partition was altered, and has another leader now
	OffsetMovedToTieredStorage             Code = 109 // the offset has moved to tiered storage (KIP-405)
	FencedMemberEpoch                      Code = 110 // the member's epoch is void: give up all partitions and join again (KIP-848)
	UnreleasedInstanceID                   Code = 111 // the static instance id has yet to be given up by another member (KIP-848)
	UnsupportedAssignor                    Code = 112 // the server does not have the assignor asked for (KIP-848)
	StaleMemberEpoch                       Code = 113 // the member's epoch is old: retry with the one the next heartbeat brings (KIP-848)
	MismatchedEndpointType                 Code = 114 // the request is for the other kind of endpoint, broker or controller
	UnsupportedEndpointType                Code = 115 // this kind of endpoint is not supported
	UnknownControllerID                    Code = 116 // there is no such controller
	UnknownSubscriptionID                  Code = 117 // the telemetry subscription is not known, or no longer (KIP-714)
	TelemetryTooLarge                      Code = 118 // the telemetry pushed is larger than allowed (KIP-714)
	InvalidRegistration                    Code = 119 // the controller refuses the broker's registration
	TransactionAbortable                   Code = 120 // the transaction cannot go on, but can be aborted and its id used further (KIP-890)
	InvalidRecordState                     Code = 121 // the record is in no state to be acknowledged (KIP-932)
	ShareSessionNotFound                   Code = 122 // there is no such share session (KIP-932)
	InvalidShareSessionEpoch               Code = 123 // the share session's epoch is not the next one (KIP-932)
	FencedStateEpoch                       Code = 124 // the state's epoch is not the one the coordinator knows (KIP-932)
	InvalidVoterKey                        Code = 125 // the voter's key is not that of the replica asked
	DuplicateVoter                         Code = 126 // the voter is already one
	VoterNotFound                          Code = 127 // there is no such voter
	InvalidRegularExpression               Code = 128 // the regular expression does not compile (KIP-848)
	RebootstrapRequired                    Code = 129 // the client's metadata is so old that it should start from its bootstrap servers (KIP-1102)
	StreamsInvalidTopology                 Code = 130 // the topology of the streams application is not legal (KIP-1071)
	StreamsInvalidTopologyEpoch            Code = 131 // the topology epoch of the streams application is not legal (KIP-1071)
	StreamsTopologyFenced                  Code = 132 // the topology epoch of the streams application is old (KIP-1071)
	ShareSessionLimitReached               Code = 133 // the server holds as many share sessions as it allows (KIP-932)
	GroupDeletionFailed                    Code = 134 // the group could not be deleted; the message beside the code says why
	StreamsTopologyDescriptionUpdateFailed Code = 135 // the description of the topology could not be stored; the message beside the code says why
	ControllerIDNotRegistered              Code = 136 // no controller has registered this id
)

// facts is what Kafka says of each code: its name there, and whether a client may send the same request again. The
// codes have no gaps, so that a code is its own index, one up.
var facts = [...]struct {
	name      string
	retriable bool
}{
	UnknownServerError + 1:                     {"UNKNOWN_SERVER_ERROR", false},
	None + 1:                                   {"NONE", false},
	OffsetOutOfRange + 1:                       {"OFFSET_OUT_OF_RANGE", false},
	CorruptMessage + 1:                         {"CORRUPT_MESSAGE", true},
	UnknownTopicOrPartition + 1:                {"UNKNOWN_TOPIC_OR_PARTITION", true},
	InvalidFetchSize + 1:                       {"INVALID_FETCH_SIZE", false},
	LeaderNotAvailable + 1:                     {"LEADER_NOT_AVAILABLE", true},
	NotLeaderOrFollower + 1:                    {"NOT_LEADER_OR_FOLLOWER", true},
	RequestTimedOut + 1:                        {"REQUEST_TIMED_OUT", true},
	BrokerNotAvailable + 1:                     {"BROKER_NOT_AVAILABLE", false},
	ReplicaNotAvailable + 1:                    {"REPLICA_NOT_AVAILABLE", true},
	MessageTooLarge + 1:                        {"MESSAGE_TOO_LARGE", false},
	StaleControllerEpoch + 1:                   {"STALE_CONTROLLER_EPOCH", false},
	OffsetMetadataTooLarge + 1:                 {"OFFSET_METADATA_TOO_LARGE", false},
	NetworkException + 1:                       {"NETWORK_EXCEPTION", true},
	CoordinatorLoadInProgress + 1:              {"COORDINATOR_LOAD_IN_PROGRESS", true},
	CoordinatorNotAvailable + 1:                {"COORDINATOR_NOT_AVAILABLE", true},
	NotCoordinator + 1:                         {"NOT_COORDINATOR", true},
	InvalidTopicException + 1:                  {"INVALID_TOPIC_EXCEPTION", false},
	RecordListTooLarge + 1:                     {"RECORD_LIST_TOO_LARGE", false},
	NotEnoughReplicas + 1:                      {"NOT_ENOUGH_REPLICAS", true},
	NotEnoughReplicasAfterAppend + 1:           {"NOT_ENOUGH_REPLICAS_AFTER_APPEND", true},
	InvalidRequiredAcks + 1:                    {"INVALID_REQUIRED_ACKS", false},
	IllegalGeneration + 1:                      {"ILLEGAL_GENERATION", false},
	InconsistentGroupProtocol + 1:              {"INCONSISTENT_GROUP_PROTOCOL", false},
	InvalidGroupID + 1:                         {"INVALID_GROUP_ID", false},
	UnknownMemberID + 1:                        {"UNKNOWN_MEMBER_ID", false},
	InvalidSessionTimeout + 1:                  {"INVALID_SESSION_TIMEOUT", false},
	RebalanceInProgress + 1:                    {"REBALANCE_IN_PROGRESS", false},
	InvalidCommitOffsetSize + 1:                {"INVALID_COMMIT_OFFSET_SIZE", false},
	TopicAuthorizationFailed + 1:               {"TOPIC_AUTHORIZATION_FAILED", false},
	GroupAuthorizationFailed + 1:               {"GROUP_AUTHORIZATION_FAILED", false},
	ClusterAuthorizationFailed + 1:             {"CLUSTER_AUTHORIZATION_FAILED", false},
	InvalidTimestamp + 1:                       {"INVALID_TIMESTAMP", false},
	UnsupportedSaslMechanism + 1:               {"UNSUPPORTED_SASL_MECHANISM", false},
	IllegalSaslState + 1:                       {"ILLEGAL_SASL_STATE", false},
	UnsupportedVersion + 1:                     {"UNSUPPORTED_VERSION", false},
	TopicAlreadyExists + 1:                     {"TOPIC_ALREADY_EXISTS", false},
	InvalidPartitions + 1:                      {"INVALID_PARTITIONS", false},
	InvalidReplicationFactor + 1:               {"INVALID_REPLICATION_FACTOR", false},
	InvalidReplicaAssignment + 1:               {"INVALID_REPLICA_ASSIGNMENT", false},
	InvalidConfig + 1:                          {"INVALID_CONFIG", false},
	NotController + 1:                          {"NOT_CONTROLLER", true},
	InvalidRequest + 1:                         {"INVALID_REQUEST", false},
	UnsupportedForMessageFormat + 1:            {"UNSUPPORTED_FOR_MESSAGE_FORMAT", false},
	PolicyViolation + 1:                        {"POLICY_VIOLATION", false},
	OutOfOrderSequenceNumber + 1:               {"OUT_OF_ORDER_SEQUENCE_NUMBER", false},
	DuplicateSequenceNumber + 1:                {"DUPLICATE_SEQUENCE_NUMBER", false},
	InvalidProducerEpoch + 1:                   {"INVALID_PRODUCER_EPOCH", false},
	InvalidTxnState + 1:                        {"INVALID_TXN_STATE", false},
	InvalidProducerIDMapping + 1:               {"INVALID_PRODUCER_ID_MAPPING", false},
	InvalidTransactionTimeout + 1:              {"INVALID_TRANSACTION_TIMEOUT", false},
	ConcurrentTransactions + 1:                 {"CONCURRENT_TRANSACTIONS", true},
	TransactionCoordinatorFenced + 1:           {"TRANSACTION_COORDINATOR_FENCED", false},
	TransactionalIDAuthorizationFailed + 1:     {"TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false},
	SecurityDisabled + 1:                       {"SECURITY_DISABLED", false},
	OperationNotAttempted + 1:                  {"OPERATION_NOT_ATTEMPTED", false},
	KafkaStorageError + 1:                      {"KAFKA_STORAGE_ERROR", true},
	LogDirNotFound + 1:                         {"LOG_DIR_NOT_FOUND", false},
	SaslAuthenticationFailed + 1:               {"SASL_AUTHENTICATION_FAILED", false},
	UnknownProducerID + 1:                      {"UNKNOWN_PRODUCER_ID", false},
	ReassignmentInProgress + 1:                 {"REASSIGNMENT_IN_PROGRESS", false},
	DelegationTokenAuthDisabled + 1:            {"DELEGATION_TOKEN_AUTH_DISABLED", false},
	DelegationTokenNotFound + 1:                {"DELEGATION_TOKEN_NOT_FOUND", false},
	DelegationTokenOwnerMismatch + 1:           {"DELEGATION_TOKEN_OWNER_MISMATCH", false},
	DelegationTokenRequestNotAllowed + 1:       {"DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", false},
	DelegationTokenAuthorizationFailed + 1:     {"DELEGATION_TOKEN_AUTHORIZATION_FAILED", false},
	DelegationTokenExpired + 1:                 {"DELEGATION_TOKEN_EXPIRED", false},
	InvalidPrincipalType + 1:                   {"INVALID_PRINCIPAL_TYPE", false},
	NonEmptyGroup + 1:                          {"NON_EMPTY_GROUP", false},
	GroupIDNotFound + 1:                        {"GROUP_ID_NOT_FOUND", false},
	FetchSessionIDNotFound + 1:                 {"FETCH_SESSION_ID_NOT_FOUND", true},
	InvalidFetchSessionEpoch + 1:               {"INVALID_FETCH_SESSION_EPOCH", true},
	ListenerNotFound + 1:                       {"LISTENER_NOT_FOUND", true},
	TopicDeletionDisabled + 1:                  {"TOPIC_DELETION_DISABLED", false},
	FencedLeaderEpoch + 1:                      {"FENCED_LEADER_EPOCH", true},
	UnknownLeaderEpoch + 1:                     {"UNKNOWN_LEADER_EPOCH", true},
	UnsupportedCompressionType + 1:             {"UNSUPPORTED_COMPRESSION_TYPE", false},
	StaleBrokerEpoch + 1:                       {"STALE_BROKER_EPOCH", false},
	OffsetNotAvailable + 1:                     {"OFFSET_NOT_AVAILABLE", true},
	MemberIDRequired + 1:                       {"MEMBER_ID_REQUIRED", false},
	PreferredLeaderNotAvailable + 1:            {"PREFERRED_LEADER_NOT_AVAILABLE", true},
	GroupMaxSizeReached + 1:                    {"GROUP_MAX_SIZE_REACHED", false},
	FencedInstanceID + 1:                       {"FENCED_INSTANCE_ID", false},
	EligibleLeadersNotAvailable + 1:            {"ELIGIBLE_LEADERS_NOT_AVAILABLE", true},
	ElectionNotNeeded + 1:                      {"ELECTION_NOT_NEEDED", true},
	NoReassignmentInProgress + 1:               {"NO_REASSIGNMENT_IN_PROGRESS", false},
	GroupSubscribedToTopic + 1:                 {"GROUP_SUBSCRIBED_TO_TOPIC", false},
	InvalidRecord + 1:                          {"INVALID_RECORD", false},
	UnstableOffsetCommit + 1:                   {"UNSTABLE_OFFSET_COMMIT", true},
	ThrottlingQuotaExceeded + 1:                {"THROTTLING_QUOTA_EXCEEDED", true},
	ProducerFenced + 1:                         {"PRODUCER_FENCED", false},
	ResourceNotFound + 1:                       {"RESOURCE_NOT_FOUND", false},
	DuplicateResource + 1:                      {"DUPLICATE_RESOURCE", false},
	UnacceptableCredential + 1:                 {"UNACCEPTABLE_CREDENTIAL", false},
	InconsistentVoterSet + 1:                   {"INCONSISTENT_VOTER_SET", false},
	InvalidUpdateVersion + 1:                   {"INVALID_UPDATE_VERSION", false},
	FeatureUpdateFailed + 1:                    {"FEATURE_UPDATE_FAILED", false},
	PrincipalDeserializationFailure + 1:        {"PRINCIPAL_DESERIALIZATION_FAILURE", false},
	SnapshotNotFound + 1:                       {"SNAPSHOT_NOT_FOUND", false},
	PositionOutOfRange + 1:                     {"POSITION_OUT_OF_RANGE", false},
	UnknownTopicID + 1:                         {"UNKNOWN_TOPIC_ID", true},
	DuplicateBrokerRegistration + 1:            {"DUPLICATE_BROKER_REGISTRATION", false},
	BrokerIDNotRegistered + 1:                  {"BROKER_ID_NOT_REGISTERED", false},
	InconsistentTopicID + 1:                    {"INCONSISTENT_TOPIC_ID", true},
	InconsistentClusterID + 1:                  {"INCONSISTENT_CLUSTER_ID", false},
	TransactionalIDNotFound + 1:                {"TRANSACTIONAL_ID_NOT_FOUND", false},
	FetchSessionTopicIDError + 1:               {"FETCH_SESSION_TOPIC_ID_ERROR", true},
	IneligibleReplica + 1:                      {"INELIGIBLE_REPLICA", false},
	NewLeaderElected + 1:                       {"NEW_LEADER_ELECTED", false},
	OffsetMovedToTieredStorage + 1:             {"OFFSET_MOVED_TO_TIERED_STORAGE", false},
	FencedMemberEpoch + 1:                      {"FENCED_MEMBER_EPOCH", false},
	UnreleasedInstanceID + 1:                   {"UNRELEASED_INSTANCE_ID", false},
	UnsupportedAssignor + 1:                    {"UNSUPPORTED_ASSIGNOR", false},
	StaleMemberEpoch + 1:                       {"STALE_MEMBER_EPOCH", false},
	MismatchedEndpointType + 1:                 {"MISMATCHED_ENDPOINT_TYPE", false},
	UnsupportedEndpointType + 1:                {"UNSUPPORTED_ENDPOINT_TYPE", false},
	UnknownControllerID + 1:                    {"UNKNOWN_CONTROLLER_ID", false},
	UnknownSubscriptionID + 1:                  {"UNKNOWN_SUBSCRIPTION_ID", false},
	TelemetryTooLarge + 1:                      {"TELEMETRY_TOO_LARGE", false},
	InvalidRegistration + 1:                    {"INVALID_REGISTRATION", false},
	TransactionAbortable + 1:                   {"TRANSACTION_ABORTABLE", false},
	InvalidRecordState + 1:                     {"INVALID_RECORD_STATE", false},
	ShareSessionNotFound + 1:                   {"SHARE_SESSION_NOT_FOUND", true},
	InvalidShareSessionEpoch + 1:               {"INVALID_SHARE_SESSION_EPOCH", true},
	FencedStateEpoch + 1:                       {"FENCED_STATE_EPOCH", false},
	InvalidVoterKey + 1:                        {"INVALID_VOTER_KEY", false},
	DuplicateVoter + 1:                         {"DUPLICATE_VOTER", false},
	VoterNotFound + 1:                          {"VOTER_NOT_FOUND", false},
	InvalidRegularExpression + 1:               {"INVALID_REGULAR_EXPRESSION", false},
	RebootstrapRequired + 1:                    {"REBOOTSTRAP_REQUIRED", false},
	StreamsInvalidTopology + 1:                 {"STREAMS_INVALID_TOPOLOGY", false},
	StreamsInvalidTopologyEpoch + 1:            {"STREAMS_INVALID_TOPOLOGY_EPOCH", false},
	StreamsTopologyFenced + 1:                  {"STREAMS_TOPOLOGY_FENCED", false},
	ShareSessionLimitReached + 1:               {"SHARE_SESSION_LIMIT_REACHED", true},
	GroupDeletionFailed + 1:                    {"GROUP_DELETION_FAILED", false},
	StreamsTopologyDescriptionUpdateFailed + 1: {"STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED", false},
	ControllerIDNotRegistered + 1:              {"CONTROLLER_ID_NOT_REGISTERED", false},
}
