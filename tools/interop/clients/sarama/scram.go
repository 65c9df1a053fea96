package main

import (
	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// conversation is what sarama wants of a SCRAM library: it brings none itself.
type conversation struct {
	hash scram.HashGeneratorFcn
	*scram.ClientConversation
}

func scramClient(mechanism string) func() sarama.SCRAMClient {
	hash := scram.SHA256
	if mechanism == sarama.SASLTypeSCRAMSHA512 {
		hash = scram.SHA512
	}
	return func() sarama.SCRAMClient { return &conversation{hash: hash} }
}

func (c *conversation) Begin(user, password, authzID string) error {
	client, err := c.hash.NewClient(user, password, authzID)
	if err != nil {
		return err
	}
	c.ClientConversation = client.NewConversation()
	return nil
}
