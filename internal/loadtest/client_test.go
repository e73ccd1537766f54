package loadtest

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Both clients bring every message, once and in order, and learn of every acknowledgement.
func TestClientsPublishInOrder(t *testing.T) {
	for _, client := range []Client{Paho, Raw} {
		t.Run(string(client), func(t *testing.T) {
			b, err := StartMochi()
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := b.Stop(); err != nil {
					t.Error(err)
				}
			}()
			const messages = 3000
			t0 := target{broker: "tcp://" + b.Address, window: 100}
			arrived := make(chan string, messages)
			sub := mqtt.NewClient(pahoOptions(t0, "subscriber").SetOrderMatters(true))
			if err := await(t.Context(), sub.Connect()); err != nil {
				t.Fatal(err)
			}
			defer sub.Disconnect(quiesce)
			if err := await(t.Context(), sub.Subscribe("a/#", 1, func(_ mqtt.Client, m mqtt.Message) { arrived <- string(m.Payload()) })); err != nil {
				t.Fatal(err)
			}
			var acked atomic.Int64
			s, err := client.dial(t.Context(), t0, "publisher", func(i int) {
				if n := acked.Add(1); n != int64(i)+1 {
					t.Errorf("message %d is acknowledged as the %d.", i, n)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			body := func(i int) string { return strings.Repeat("x", i%300) + "|" + time.Duration(i).String() }
			for i := range messages {
				if err := s.publish(t.Context(), i, "a/b", []byte(body(i))); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := s.settle(ctx); err != nil {
				t.Fatal(err)
			}
			if n := acked.Load(); n != messages {
				t.Errorf("%d acknowledged", n)
			}
			for i := range messages {
				select {
				case got := <-arrived:
					if got != body(i) {
						t.Fatalf("message %d is %q", i, got)
					}
				case <-ctx.Done():
					t.Fatalf("%d messages arrived", i)
				}
			}
		})
	}
}

func TestALostConnectionEndsThePublishing(t *testing.T) {
	for _, client := range []Client{Paho, Raw} {
		t.Run(string(client), func(t *testing.T) {
			b, err := StartMochi()
			if err != nil {
				t.Fatal(err)
			}
			s, err := client.dial(t.Context(), target{broker: "tcp://" + b.Address, window: 10}, "publisher", func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			if err := b.Stop(); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for i := 0; err == nil; i++ {
				err = s.publish(ctx, i, "a/b", make([]byte, 1000))
			}
			if ctx.Err() != nil {
				t.Error("the publisher does not notice")
			}
		})
	}
}
