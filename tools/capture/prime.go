package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
	"github.com/heraclitus/heraclitus/tools/capture/frames"
)

const (
	primeTimeout  = 60 * time.Second
	primeInterval = 20 * time.Millisecond
	clientID      = "capture"
)

// prime waits until a broker can coordinate groups and give ids to producers. Kafka makes the topic of its offsets
// when it is first asked for a coordinator, and asks its controller for ids when it is first asked for one; until
// that is done clients get errors that say nothing about either of them.
func prime(addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), primeTimeout)
	defer cancel()
	for {
		code, err := state(addr)
		if err != nil {
			return fmt.Errorf("wait for the broker: %w", err)
		}
		if code == kerr.None {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the broker: %w", code)
		case <-time.After(primeInterval):
		}
	}
}

// state asks for a coordinator and, if there is one, whether it has loaded its groups, and for a producer id.
func state(addr string) (kerr.Code, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	found, err := ask(c, wire.KeyFindCoordinator, 0, &wire.FindCoordinatorRequest{Key: clientID})
	if err != nil {
		return 0, err
	}
	if code := kerr.Code(found.(*wire.FindCoordinatorResponse).ErrorCode); code != kerr.None {
		return code, nil
	}
	described, err := ask(c, wire.KeyDescribeGroups, 0, &wire.DescribeGroupsRequest{Groups: []string{clientID}})
	if err != nil {
		return 0, err
	}
	if code := kerr.Code(described.(*wire.DescribeGroupsResponse).Groups[0].ErrorCode); code != kerr.None {
		return code, nil
	}
	made, err := ask(c, wire.KeyInitProducerID, 0, &wire.InitProducerIDRequest{})
	if err != nil {
		return 0, err
	}
	return kerr.Code(made.(*wire.InitProducerIDResponse).ErrorCode), nil
}

// ask sends a request and returns the answer.
func ask(c net.Conn, key, version int16, q wire.Message) (wire.Message, error) {
	id := clientID
	to := frames.Frame{Key: key, Version: version}
	to.Payload = to.Encode(&wire.RequestHeader{RequestApiKey: key, RequestApiVersion: version, ClientID: &id}, q)
	if err := writeFrame(c, to.Payload); err != nil {
		return nil, err
	}
	payload, err := readFrame(c)
	if err != nil {
		return nil, err
	}
	_, body, err := frames.NewResponse(to, payload).Decode()
	return body, err
}
