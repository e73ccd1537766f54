package id

// Kind is the 12-bit code of an entity type inside an id. Codes are stored in
// every row and in partners' systems: never renumber, only append.
type Kind uint16

// The kinds of entities.
const (
	Tenant Kind = iota + 1
	User
	Membership
	RefreshToken
	OAuthClient
	Site
	Gateway
	Asset
	Sensor
	Parameter
	FaultType
	MLModel
	MLModelVersion
	MLModelDeployment
	AlarmRule
	AlarmEvent
	AlarmTransition
	Prediction
	RawReading
	RejectedReading
	AlarmShelf
	last
)

var names = map[Kind]string{
	Tenant: "Tenant", User: "User", Membership: "Membership", RefreshToken: "RefreshToken",
	OAuthClient: "OAuthClient", Site: "Site", Gateway: "Gateway", Asset: "Asset", Sensor: "Sensor",
	Parameter: "Parameter", FaultType: "FaultType", MLModel: "MLModel", MLModelVersion: "MLModelVersion",
	MLModelDeployment: "MLModelDeployment", AlarmRule: "AlarmRule", AlarmEvent: "AlarmEvent",
	AlarmTransition: "AlarmTransition", Prediction: "Prediction", RawReading: "RawReading",
	RejectedReading: "RejectedReading", AlarmShelf: "AlarmShelf",
}

// String returns the name of the entity as the graph writes it.
func (k Kind) String() string { return names[k] }

func (k Kind) known() bool { return k > 0 && k < last }
