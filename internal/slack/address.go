package slack

import (
	"errors"
	"net/mail"
	"regexp"
	"strings"
)

// An Address is whom a Client speaks to: a channel or a person.
type Address struct {
	channel string // an ID, or a name without #
	user    string // an ID
	email   string
}

// IDs begin with a letter that says of what: C and G are channels, D are direct
// messages, U and W are people.
var (
	channelID   = regexp.MustCompile(`^[CGD][A-Z0-9]{8,}$`)
	channelName = regexp.MustCompile(`^#?[^\s#@<>&,:]{1,80}$`)
	userID      = regexp.MustCompile(`^[UW][A-Z0-9]{8,}$`)
)

// ParseChannel reads the ID of a channel, or its name with or without #.
func ParseChannel(text string) (Address, error) {
	switch {
	case userID.MatchString(text):
		return Address{}, errors.New("this is a person's ID: --slack-usr is for people")
	case !channelName.MatchString(text):
		return Address{}, errors.New("want a channel's ID, like C0123456789, or its name, like #ingests")
	}
	return Address{channel: strings.TrimPrefix(text, "#")}, nil
}

// ParseUser reads the member ID of a person, or the e-mail address that Slack
// knows the person by.
func ParseUser(text string) (Address, error) {
	if userID.MatchString(text) {
		return Address{user: text}, nil
	}
	if strings.HasPrefix(text, "@") {
		return Address{}, errors.New("names of people are no longer taken by Slack: want the member ID, like U0123456789 (in the person's profile under ⋮, Copy member ID), or the e-mail address")
	}
	if a, err := mail.ParseAddress(text); err == nil && a.Address == text {
		return Address{email: text}, nil
	}
	if channelID.MatchString(text) || strings.HasPrefix(text, "#") {
		return Address{}, errors.New("this is a channel: --slack-channel is for channels")
	}
	return Address{}, errors.New("want a member ID, like U0123456789 (in the person's profile under ⋮, Copy member ID), or an e-mail address")
}

// String names the channel or the person.
func (a Address) String() string {
	switch {
	case a.user != "":
		return a.user
	case a.email != "":
		return a.email
	case a.channel == "":
		return "the webhook's channel"
	case channelID.MatchString(a.channel):
		return a.channel
	}
	return "#" + a.channel
}
