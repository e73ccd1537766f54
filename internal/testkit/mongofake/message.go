package mongofake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The protocol: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/.
const (
	opReply = 1
	opQuery = 2004
	opMsg   = 2013

	maxMessage = 48_000_000
)

type message struct {
	id      int32
	opcode  int32
	command Command
}

func readMessage(r io.Reader, discard bool) (m message, err error) {
	var header [16]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return m, err
	}
	size := int(binary.LittleEndian.Uint32(header[:]))
	if size < len(header) || size > maxMessage {
		return m, fmt.Errorf("a message of %d bytes", size)
	}
	m.id = int32(binary.LittleEndian.Uint32(header[4:]))
	m.opcode = int32(binary.LittleEndian.Uint32(header[12:]))
	body := make([]byte, size-len(header))
	if _, err := io.ReadFull(r, body); err != nil {
		return m, err
	}
	switch m.opcode {
	case opMsg:
		m.command, err = readMsg(body, discard)
	case opQuery:
		m.command, err = readQuery(body)
	default:
		err = fmt.Errorf("opcode %d", m.opcode)
	}
	return m, err
}

var errShort = errors.New("a message that is cut off")

func document(b []byte) (doc bson.D, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errShort
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n < 5 || n > len(b) {
		return nil, nil, errShort
	}
	err = bson.Unmarshal(b[:n], &doc)
	return doc, b[n:], err
}

func text(b []byte) (s string, rest []byte, err error) {
	i := bytes.IndexByte(b, 0)
	if i < 0 {
		return "", nil, errShort
	}
	return string(b[:i]), b[i+1:], nil
}

// readMsg reads flags and sections; a checksum is not looked at.
func readMsg(b []byte, discard bool) (c Command, err error) {
	if len(b) < 4 {
		return c, errShort
	}
	if binary.LittleEndian.Uint32(b)&1 != 0 {
		b = b[:len(b)-4]
	}
	var body, sequences bson.D
	for b = b[4:]; len(b) > 0; {
		kind := b[0]
		b = b[1:]
		switch kind {
		case 0:
			var d bson.D
			if d, b, err = document(b); err != nil {
				return c, err
			}
			body = d
		case 1:
			if len(b) < 4 {
				return c, errShort
			}
			size := int(binary.LittleEndian.Uint32(b))
			if size < 4 || size > len(b) {
				return c, errShort
			}
			section := b[4:size]
			b = b[size:]
			if discard {
				continue
			}
			name, section, err := text(section)
			if err != nil {
				return c, err
			}
			list := bson.A{}
			for len(section) > 0 {
				var d bson.D
				if d, section, err = document(section); err != nil {
					return c, err
				}
				list = append(list, d)
			}
			sequences = append(sequences, bson.E{Key: name, Value: list})
		default:
			return c, fmt.Errorf("a section of kind %d", kind)
		}
	}
	return commandOf(append(body, sequences...))
}

// readQuery reads the one query that is still sent: the first hello.
func readQuery(b []byte) (c Command, err error) {
	if len(b) < 4 {
		return c, errShort
	}
	_, b, err = text(b[4:])
	if err != nil || len(b) < 8 {
		return c, errShort
	}
	doc, _, err := document(b[8:])
	if err != nil {
		return c, err
	}
	return commandOf(doc)
}

func commandOf(d bson.D) (c Command, err error) {
	if len(d) == 0 {
		return c, errors.New("an empty command")
	}
	database, _ := Get(d, "$db").(string)
	return Command{Name: d[0].Key, Database: database, Doc: d}, nil
}

// reply writes the answer in the form in which was asked.
func (m message) reply(w io.Writer, doc bson.D) error {
	body, err := bson.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("mongofake: reply to %s: %v", strings.ToUpper(m.command.Name), err))
	}
	b := make([]byte, 16, 64+len(body))
	opcode := int32(opMsg)
	if m.opcode == opQuery {
		opcode = opReply
		b = binary.LittleEndian.AppendUint32(b, 8) // flags
		b = binary.LittleEndian.AppendUint64(b, 0) // cursor
		b = binary.LittleEndian.AppendUint32(b, 0) // starting from
		b = binary.LittleEndian.AppendUint32(b, 1) // documents
	} else {
		b = append(b, 0, 0, 0, 0, 0) // flags, kind of the section
	}
	b = append(b, body...)
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	binary.LittleEndian.PutUint32(b[8:], uint32(m.id))
	binary.LittleEndian.PutUint32(b[12:], uint32(opcode))
	_, err = w.Write(b)
	return err
}
