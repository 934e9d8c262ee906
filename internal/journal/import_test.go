package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"tallyman/formats"
)

// envelope returns a line as another receiver might have logged it.
func envelope(d Delivery, more string) string {
	return fmt.Sprintf(`{"webhook_id":%q,"webhook_timestamp":%d,"webhook_signature":%q%s,"event":%s}`+"\n", d.WebhookID, d.Timestamp, d.Signature, more, d.Body)
}

func imported(t *testing.T, dir string, secrets Secrets, paths ...string) Imported {
	t.Helper()
	done, err := Import(t.Context(), dir, paths, ImportOptions{Secrets: secrets, Log: testLog(t), Now: newClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestImport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	s, stranger := testSecret(t, 0), testSecret(t, 1)
	file := filepath.Join(t.TempDir(), "other.jsonl")
	changed := signed(s, "msg_4", `{"id":"evt_4"}`)
	changed.Body = []byte(`{"id":"evt_5"}`)
	writeBytes(t, []byte(
		`{"id":"evt_1","type":"t"}`+"\r\n"+ // bare
			"\n"+
			envelope(signed(s, "msg_2", `{"id":"evt_2"}`), "")+
			envelope(signed(stranger, "msg_3", `{"id":"evt_3"}`), `,"key":"`+stranger.ID()+`","received_at":"2026-11-20T10:00:00Z"`)+
			envelope(changed, "")+
			envelope(changed, `,"key":"`+s.ID()+`"`)+
			`{"webhook_id":"msg_6","body":"no JSON"}`+"\n"+
			"INFO started\n"+
			`{"seq":0,"event":{}}`+"\n"+
			`[1]`+"\n"+
			`{"id":"evt_1","type":"t"}`+"\n", // again
	), file)
	done := imported(t, dir, Secrets{s}, file)
	if done.Lines != 10 || done.Added != 5 || done.Known != 1 || done.Verified != 1 || done.RefusedAll != 4 || done.DamageAll != 0 {
		t.Errorf("%+v", done)
	}
	if got := describe(done.Refused); got != "forged other.jsonl:6, no_event other.jsonl:8, no_event other.jsonl:9, no_event other.jsonl:10" {
		t.Errorf("refused %s", got)
	}
	all, _ := lines(t, filepath.Join(dir, ImportedName))
	var got []string
	for _, l := range all {
		got = append(got, fmt.Sprintf("%s %s %s %s", l.Record.WebhookID, l.Record.Body, l.Record.Key, Secrets{s}.Check(l.Record)))
	}
	want := []string{
		` {"id":"evt_1","type":"t"}  unverified`,
		`msg_2 {"id":"evt_2"} ` + s.ID() + ` verified`,
		`msg_3 {"id":"evt_3"} ` + stranger.ID() + ` unverified`,
		`msg_4 {"id":"evt_5"}  unverified`,
		`msg_6 no JSON  unverified`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("imported\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !all[0].Record.ReceivedAt.IsZero() || all[2].Record.ReceivedAt.Format("02T15") != "20T10" {
		t.Errorf("received at %s and %s", all[0].Record.ReceivedAt, all[2].Record.ReceivedAt)
	}
	if r := verify(t, filepath.Join(dir, ImportedName), s); r.DamageCount != 0 || r.Verified != 1 || r.Unverified != 4 {
		t.Errorf("%+v", r)
	}
	checkModes(t, dir)
}

func TestImportAgainAddsNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	from := t.TempDir()
	s := fillDays(t, from, 3)
	sealAll(t, from)
	if done := imported(t, dir, Secrets{s}, from); done.Added != 6 || done.Verified != 6 || done.RefusedAll != 0 || done.DamageAll != 0 {
		t.Fatalf("%+v", done)
	}
	before, _ := lines(t, filepath.Join(dir, ImportedName))
	for i, path := range []string{from, filepath.Join(from, "2026-11-22.jsonl.zst")} {
		if done := imported(t, dir, Secrets{s}, path); done.Added != 0 || done.Known == 0 {
			t.Errorf("%d: %+v", i, done)
		}
	}
	after, _ := lines(t, filepath.Join(dir, ImportedName))
	if len(after) != len(before) {
		t.Errorf("%d lines, were %d", len(after), len(before))
	}
	if after[0].Record.ReceivedAt.IsZero() {
		t.Error("the time of receipt is lost")
	}
}

// TestImportInBatches takes in more than one commit holds, in order, and stops
// in the middle.
func TestImportInBatches(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	const count = 2*maxBatch + 7
	var text []byte
	for i := range count {
		text = fmt.Appendf(text, "{\"id\":\"evt_%d\"}\n", i)
	}
	file := filepath.Join(t.TempDir(), "bare.jsonl")
	writeBytes(t, text, file)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Import(ctx, dir, []string{file}, ImportOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if done := imported(t, dir, nil, file); done.Added != count || done.Lines != count {
		t.Errorf("%+v", done)
	}
	all, _ := lines(t, filepath.Join(dir, ImportedName))
	for i, l := range all {
		if string(l.Record.Body) != fmt.Sprintf(`{"id":"evt_%d"}`, i) || l.Record.Seq != int64(i+1) {
			t.Fatalf("line %d: seq %d, %s", i, l.Record.Seq, l.Record.Body)
		}
	}
}

func TestImportNamesDamageAndTakesTheRest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	from := t.TempDir()
	s := fillDays(t, from, 2)
	text := readBytes(t, from, pages[0])
	writeBytes(t, []byte(strings.Replace(string(text), "evt_1", "evt_9", 1)), from, pages[0])
	done := imported(t, dir, Secrets{s}, from)
	if done.Added != 3 || describe(done.Refused) != "forged 2026-11-22.jsonl:1" || done.DamageAll != 1 {
		t.Errorf("%+v", done)
	}
}

func TestImportRefusesTheJournalItself(t *testing.T) {
	dir := t.TempDir()
	fillDays(t, dir, 1)
	for _, path := range []string{dir, filepath.Join(dir, pages[0]), filepath.Join(dir, ".", "..", filepath.Base(dir))} {
		if _, err := Import(t.Context(), dir, []string{path}, ImportOptions{}); !errors.Is(err, ErrOwnJournal) {
			t.Errorf("%s: error %v", path, err)
		}
	}
	if _, err := Import(t.Context(), dir, []string{filepath.Join(dir, "nowhere")}, ImportOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestImportBesideAReceiver(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, Options{})
	defer closeWriter(t, w)
	file := filepath.Join(t.TempDir(), "bare.jsonl")
	writeBytes(t, []byte(`{"id":"evt_1"}`), file)
	if done := imported(t, dir, nil, file); done.Added != 1 {
		t.Errorf("%+v", done)
	}
	appendOne(t, w, signed(testSecret(t, 0), "msg_1", "x"))
	if all, s := lines(t, dir); len(all) != 1 || s.DamageCount != 0 {
		t.Errorf("%d lines in the journal of what was received", len(all))
	}
	other := openWriter(t, filepath.Join(dir, ImportedName), Options{})
	defer closeWriter(t, other)
	if _, err := Import(t.Context(), dir, []string{file}, ImportOptions{}); !errors.Is(err, ErrLocked) {
		t.Errorf("error %v", err)
	}
}

func TestCopyTakesWhatWasImportedAlong(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	s := fillDays(t, dir, 1)
	file := filepath.Join(t.TempDir(), "bare.jsonl")
	writeBytes(t, []byte(`{"id":"evt_1"}`), file)
	imported(t, dir, nil, file)
	if err := Copy(t.Context(), dir, to); err != nil {
		t.Fatal(err)
	}
	sound(t, to, 2, s)
	if r := verify(t, filepath.Join(to, ImportedName)); r.DamageCount != 0 || r.Lines != 1 || r.Seq != 1 {
		t.Errorf("%+v", r)
	}
	checkModes(t, to)
}

// FuzzImport takes in anything, twice: the second time adds nothing, and what
// is there is whole.
func FuzzImport(f *testing.F) {
	f.Add([]byte(`{"id":"evt_1","type":"t"}` + "\n" + `{"webhook_id":"m","webhook_timestamp":1,"webhook_signature":"v1,","event":{}}` + "\n"))
	f.Add([]byte(`{"seq":1,"prev":"` + formats.JournalGenesis + `","body_base64":"/w=="}`))
	f.Add([]byte("\ufeff{}\r\n\x00\n{\"a\":\"\\ud800\"}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := filepath.Join(t.TempDir(), "journal")
		file := filepath.Join(t.TempDir(), "a.jsonl")
		writeBytes(t, text, file)
		once, err := Import(t.Context(), dir, []string{file}, ImportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if once.Added+once.Known+once.RefusedAll != once.Lines {
			t.Fatalf("%+v does not add up", once)
		}
		if again, err := Import(t.Context(), dir, []string{file}, ImportOptions{}); err != nil || again.Added != 0 || again.RefusedAll != once.RefusedAll {
			t.Fatalf("again %+v, error %v", again, err)
		}
		if r := verify(t, filepath.Join(dir, ImportedName)); r.DamageCount != 0 || r.Lines != once.Added {
			t.Fatalf("%d lines for %d, damage %v", r.Lines, once.Added, r.Damage)
		}
	})
}
