package simulator

import (
	"fmt"
	"math/rand/v2"
)

// The cast. Companies are made up; numbers and addresses are those that standards reserve for examples.
var (
	firstNames = []string{
		"Jane", "Amara", "Mateo", "Yuki", "Priya", "Lars", "Zoë", "Omar", "Ines", "Tomasz", "Leila", "Noah", "Aoife", "Kenji", "Rosa",
		"Dmitri", "Fatima", "Hugo", "Mei", "Samuel", "Nadia", "Jonas", "Thandi", "Ravi", "Elena", "Luca", "Chloé", "Ibrahim", "Freya",
		"Diego", "Hana", "Pavel", "Sofia", "Kwame", "Anders", "Maya", "Ali", "Greta", "Marcus", "Lin",
	}
	lastNames = []string{
		"Smith", "Okafor", "García", "Tanaka", "Raman", "Lindqvist", "Dubois", "Haddad", "Novak", "Byrne", "Kowalski", "Mensah",
		"Ferreira", "Schmidt", "Petrov", "Nguyen", "Andersen", "Rossi", "Khan", "Laurent", "Jansen", "Costa", "Moreau", "Osei", "Weber",
		"Silva", "Yamamoto", "Popescu", "Virtanen", "Cohen", "Murphy", "Dlamini", "Horvat", "Iyer", "Olsen", "Wang", "Bauer",
	}
	companies = []string{
		"Northwind", "Globex", "Initech", "Umbra & Sons", "Acme", "Vandelay", "Contoso", "Fabrikam", "Tailspin", "Blue Yonder", "Hooli",
		"Stark Audio", "Lakeside Media", "Ferry & Finch", "Cold Harbour", "Orchard Lane",
	}
	jobs = []string{
		"Event manager", "Head of marketing", "Senior software engineer", "Product manager", "Community lead", "Producer", "CTO",
		"Sales director", "Designer", "Data analyst", "Video engineer", "Journalist", "Student",
	}
	countries = []string{"Germany", "Ireland", "Japan", "Brazil", "India", "Nigeria", "France", "Canada", "Poland", "Kenya", "Spain", "Norway"}
)

// person is somebody, made up.
type person struct {
	first, last, email, phone, company, job, country string
}

// newPerson makes up the n-th of a kind of people: the address tells them apart, names may not.
func newPerson(r *rand.Rand, kind string, n int) person {
	return person{
		first: pick(r, firstNames), last: pick(r, lastNames),
		email:   fmt.Sprintf("%s-%d@example.com", kind, n),
		phone:   fmt.Sprintf("+120255501%02d", r.IntN(100)),
		company: pick(r, companies), job: pick(r, jobs), country: pick(r, countries),
	}
}

func (p person) name() string { return p.first + " " + p.last }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// chance is true in so many of a hundred cases.
func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }
