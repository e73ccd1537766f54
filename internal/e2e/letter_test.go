package e2e

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"testing"

	"foresight/internal/testkit"
)

// Killed while it hands a letter to a mail server that does not answer, the product
// sends the letter when it is back, and its link still lets in.
func TestKilledLetterIsSent(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	called := make(chan net.Conn, 10)
	go func() {
		defer close(called)
		for {
			c, err := deaf.Accept()
			if err != nil {
				return
			}
			called <- c
		}
	}()
	settings := func(port int) []string {
		return []string{"FORESIGHT_BULK_TIMEOUT=15s", "FORESIGHT_MAIL_HOST=127.0.0.1", fmt.Sprint("FORESIGHT_MAIL_PORT=", port), "FORESIGHT_MAIL_SECURITY=none"}
	}
	dir := filepath.Join(work, "letter-kill")
	i, err := startWith(dir, settings(deaf.Addr().(*net.TCPAddr).Port), "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	invited := get[struct {
		InviteUser struct {
			Link       *string
			UserErrors []struct{ Message string }
		}
	}](t, i, i.login(t, alpha, "admin"), `mutation { inviteUser(input: {email: "new@alpha-grid.example", role: VIEWER}) { link userErrors { message } } }`, nil).InviteUser
	if len(invited.UserErrors) > 0 || invited.Link != nil {
		t.Errorf("%+v", invited)
	}
	connection := <-called // a runner is at it
	if err := i.kill(); err != nil {
		t.Fatal(err)
	}
	_ = connection.Close()
	server := testkit.SMTP(t)
	if i, err = startWith(dir, settings(server.Port), "--rate", "0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.kill(); err != nil {
			t.Error(err)
		}
	})
	within(t, patience, "the letter has come", func() bool { return len(server.Taken()) > 0 })
	m := server.Taken()[0]
	link := regexp.MustCompile(`/accept-invite#token=(\S+)`).FindStringSubmatch(m.Body)
	if m.To != "new@alpha-grid.example" || link == nil {
		t.Fatalf("%+v", m)
	}
	joined := get[struct {
		AcceptInvite struct {
			UserErrors []struct{ Message string }
		}
	}](t, i, "", `mutation($t: String!) { acceptInvite(input: {token: $t, username: "new", fullName: "New", password: "correct horse battery"}) { userErrors { message } } }`, vars{"t": link[1]}).AcceptInvite
	if len(joined.UserErrors) > 0 {
		t.Errorf("%+v", joined)
	}
}
