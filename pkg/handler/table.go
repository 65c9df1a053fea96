package handler

import "github.com/heraclitus/heraclitus/pkg/wire"

// Row says how one API is served: which versions, and by which methods.
type Row struct {
	Key       int16
	Min, Max  int16  // versions served, both included: exactly what ApiVersions advertises
	Pipelined bool   // later requests of the connection may be submitted before this one is finished
	Submit    Method // may be nil; see the package comment
	Finish    Method
}

// Method is one half of a request's handling. An error closes the connection.
type Method func(*Handler, *Call) error

// Table lists every API served. ApiVersions answers from it and the README's API table is written from it.
func Table() []Row {
	return []Row{
		{Key: wire.KeyProduce, Min: 0, Max: 11, Pipelined: true, Submit: on((*Handler).submitProduce), Finish: on((*Handler).finishProduce)},
		{Key: wire.KeyFetch, Min: 0, Max: 17, Pipelined: true, Finish: on((*Handler).fetch)},
		{Key: wire.KeyListOffsets, Min: 0, Max: 10, Finish: on((*Handler).listOffsets)},
		{Key: wire.KeyMetadata, Min: 0, Max: 13, Finish: on((*Handler).metadata)},
		{Key: wire.KeyOffsetCommit, Min: 0, Max: 9, Finish: on((*Handler).offsetCommit)},
		{Key: wire.KeyOffsetFetch, Min: 0, Max: 9, Finish: on((*Handler).offsetFetch)},
		{Key: wire.KeyFindCoordinator, Min: 0, Max: 6, Finish: on((*Handler).findCoordinator)},
		{Key: wire.KeyJoinGroup, Min: 0, Max: 9, Finish: on((*Handler).joinGroup)},
		{Key: wire.KeyHeartbeat, Min: 0, Max: 4, Finish: on((*Handler).heartbeat)},
		{Key: wire.KeyLeaveGroup, Min: 0, Max: 5, Finish: on((*Handler).leaveGroup)},
		{Key: wire.KeySyncGroup, Min: 0, Max: 5, Finish: on((*Handler).syncGroup)},
		{Key: wire.KeyDescribeGroups, Min: 0, Max: 6, Finish: on((*Handler).describeGroups)},
		{Key: wire.KeyListGroups, Min: 0, Max: 5, Finish: on((*Handler).listGroups)},
		{Key: wire.KeySaslHandshake, Min: 0, Max: 1, Finish: on((*Handler).saslHandshake)},
		{Key: wire.KeyApiVersions, Min: 0, Max: 4, Finish: on((*Handler).apiVersions)},
		{Key: wire.KeyCreateTopics, Min: 0, Max: 7, Finish: on((*Handler).createTopics)},
		{Key: wire.KeyDeleteTopics, Min: 0, Max: 6, Finish: on((*Handler).deleteTopics)},
		{Key: wire.KeyDeleteRecords, Min: 0, Max: 2, Finish: on((*Handler).deleteRecords)},
		{Key: wire.KeyInitProducerID, Min: 0, Max: 5, Finish: on((*Handler).initProducerID)},
		{Key: wire.KeyOffsetForLeaderEpoch, Min: 0, Max: 4, Finish: on((*Handler).offsetForLeaderEpoch)},
		{Key: wire.KeyDescribeAcls, Min: 0, Max: 3, Finish: on((*Handler).describeAcls)},
		{Key: wire.KeyDescribeConfigs, Min: 0, Max: 4, Finish: on((*Handler).describeConfigs)},
		{Key: wire.KeyAlterConfigs, Min: 0, Max: 2, Finish: on((*Handler).alterConfigs)},
		{Key: wire.KeyDescribeLogDirs, Min: 0, Max: 5, Finish: on((*Handler).describeLogDirs)},
		{Key: wire.KeySaslAuthenticate, Min: 0, Max: 2, Finish: on((*Handler).saslAuthenticate)},
		{Key: wire.KeyCreatePartitions, Min: 0, Max: 3, Finish: on((*Handler).createPartitions)},
		{Key: wire.KeyDeleteGroups, Min: 0, Max: 2, Finish: on((*Handler).deleteGroups)},
		{Key: wire.KeyElectLeaders, Min: 0, Max: 2, Finish: on((*Handler).electLeaders)},
		{Key: wire.KeyIncrementalAlterConfigs, Min: 0, Max: 1, Finish: on((*Handler).incrementalAlterConfigs)},
		{Key: wire.KeyListPartitionReassignments, Min: 0, Max: 0, Finish: on((*Handler).listPartitionReassignments)},
		{Key: wire.KeyOffsetDelete, Min: 0, Max: 0, Finish: on((*Handler).offsetDelete)},
		{Key: wire.KeyDescribeClientQuotas, Min: 0, Max: 1, Finish: on((*Handler).describeClientQuotas)},
		{Key: wire.KeyDescribeUserScramCredentials, Min: 0, Max: 0, Finish: on((*Handler).describeUserScramCredentials)},
		{Key: wire.KeyAlterUserScramCredentials, Min: 0, Max: 0, Finish: on((*Handler).alterUserScramCredentials)},
		{Key: wire.KeyDescribeCluster, Min: 0, Max: 2, Finish: on((*Handler).describeCluster)},
	}
}

// on adapts a handler's typed method to the table's form.
func on[Q, R any](m func(*Handler, *Call, *Q, *R) error) Method {
	return func(h *Handler, c *Call) error {
		return m(h, c, any(c.Request).(*Q), any(c.Response).(*R))
	}
}
