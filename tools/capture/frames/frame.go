// Package frames reads and writes recorded conversations: what Kafka clients and servers said to each other, a file for each
// frame. testdata/README.md says which there are.
//
// A conversation is a folder. Its files are named by what is in them, in the order in which the frames were sent, those of
// all connections together:
//
//	0012_c3_01_fetch_v17_request.bin
//
// is the twelfth frame, on the third connection, a request of API 1, Fetch, in version 17. The file holds the frame
// without the length before it. A response answers the request with its correlation id on its connection. Its version
// is the one it is encoded in, which is 0 where a broker answers an ApiVersions request that is newer than itself
// (KIP-511).
//
// After SaslHandshake 0 a client sends bare tokens, which are neither requests nor responses of an API:
//
//	0007_c1_sasl_token_request.bin
package frames

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Token stands in the place of the API key of a bare SASL token.
const Token int16 = -1

// Frame is one frame of a conversation.
type Frame struct {
	Number   int // place in the conversation, from 1
	Conn     int // connection, from 1
	Key      int16
	Version  int16 // 0 for tokens
	Response bool
	Payload  []byte // without the length
}

const (
	ending    = ".bin"
	tokenName = "sasl_token"
)

// fileName matches the names of frames.
var fileName = regexp.MustCompile(`^(\d{4,})_c(\d+)_(?:(\d\d)_([a-z_]+)_v(\d+)|` + tokenName + `)_(request|response)\` + ending + `$`)

// Name is the name of the frame's file.
func (f Frame) Name() string {
	api := tokenName
	if f.Key != Token {
		api = fmt.Sprintf("%02d_%s_v%d", f.Key, snake(wire.Name(f.Key)), f.Version)
	}
	return fmt.Sprintf("%04d_c%d_%s_%s%s", f.Number, f.Conn, api, f.direction(), ending)
}

func (f Frame) direction() string {
	if f.Response {
		return "response"
	}
	return "request"
}

// snake writes DescribeTopicPartitions as describe_topic_partitions.
func snake(name string) string {
	return strings.ToLower(wordBegin.ReplaceAllString(name, "${1}_$2"))
}

var wordBegin = regexp.MustCompile(`([a-z])([A-Z])`)

// parseName is the frame that a file's name tells of, without its payload.
func parseName(name string) (f Frame, err error) {
	m := fileName.FindStringSubmatch(name)
	if m == nil {
		return f, fmt.Errorf("%s is not the name of a frame", name)
	}
	f = Frame{Number: number(m[1]), Conn: number(m[2]), Key: Token, Response: m[6] == "response"}
	if m[3] != "" {
		f.Key, f.Version = int16(number(m[3])), int16(number(m[5]))
	}
	if f.Name() != name {
		return f, fmt.Errorf("%s is the name of no frame; it could be %s", name, f.Name())
	}
	return f, nil
}

// number reads digits. Of too many of them it makes a number whose frame has another name.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// Conversation is what one client said and was answered in one scenario.
type Conversation struct {
	Client   string // such as java-4.3
	Scenario string // such as gzip
	Frames   []Frame
}

// String names the conversation as its folder is named.
func (c Conversation) String() string { return c.Client + "/" + c.Scenario }

// ReadAll reads the conversations below root, where there is a folder for each client and in it one for each scenario. Plain
// files may lie beside the folders.
func ReadAll(root string) ([]Conversation, error) {
	var all []Conversation
	clients, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	for _, client := range clients {
		if !client.IsDir() {
			continue
		}
		scenarios, err := os.ReadDir(filepath.Join(root, client.Name()))
		if err != nil {
			return nil, fmt.Errorf("list scenarios: %w", err)
		}
		for _, scenario := range scenarios {
			c := Conversation{Client: client.Name(), Scenario: scenario.Name()}
			if err := c.read(filepath.Join(root, c.Client, c.Scenario)); err != nil {
				return nil, fmt.Errorf("read %s: %w", c, err)
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// read reads the frames of a folder, in order.
func (c *Conversation) read(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		f, err := parseName(file.Name())
		if err != nil {
			return err
		}
		if f.Payload, err = os.ReadFile(filepath.Join(dir, file.Name())); err != nil {
			return err
		}
		if n := len(c.Frames); n > 0 && c.Frames[n-1].Number >= f.Number {
			return fmt.Errorf("%s comes after frame %d", file.Name(), c.Frames[n-1].Number)
		}
		c.Frames = append(c.Frames, f)
	}
	return nil
}

// Write writes the conversation below root, in the place of what was recorded of it before.
func (c Conversation) Write(root string) error {
	dir := filepath.Join(root, c.Client, c.Scenario)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("write %s: %w", c, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write %s: %w", c, err)
	}
	for _, f := range c.Frames {
		if err := os.WriteFile(filepath.Join(dir, f.Name()), f.Payload, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", c, err)
		}
	}
	return nil
}
