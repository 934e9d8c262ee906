package formats_test

import (
	"fmt"
	"time"

	"tallyman/formats"
)

// A journal line holds the delivered body byte for byte, so that its signature
// can be checked again in a year.
func ExampleParseJournalLine() {
	line := formats.JournalRecord{
		Seq:              1,
		ReceivedAt:       time.Date(2026, 11, 22, 4, 1, 2, 0, time.UTC),
		WebhookID:        "msg_1",
		WebhookTimestamp: 1795320062,
		WebhookSignature: "v1,…",
		Key:              "3f1c9a20",
		Prev:             formats.JournalGenesis,
		Body:             []byte(`{"id": "evt_1",  "type": "payment.paid"}`),
	}.AppendLine(nil)

	record, err := formats.ParseJournalLine(line)
	fmt.Printf("%d %s %s %v\n", record.Seq, record.WebhookID, record.Body, err)

	bare, err := formats.ParseJournalLine([]byte(`{"id":"evt_2","type":"payment.paid"}`))
	fmt.Printf("%v %s %v\n", bare.Bare, bare.Body, err)
	// Output:
	// 1 msg_1 {"id": "evt_1",  "type": "payment.paid"} <nil>
	// true {"id":"evt_2","type":"payment.paid"} <nil>
}
