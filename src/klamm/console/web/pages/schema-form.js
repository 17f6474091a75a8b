// What both pages of schemas ask for.

export const LEVELS = ["BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE", "NONE"];

export const levelField = (value) => ({ name: "compatibility", label: "New versions must fit", value, options: LEVELS.map((one) => [one]), hint: "BACKWARD: new readers understand what the last version wrote; FORWARD: the other way round; TRANSITIVE: all versions." });

export const schemaFields = (schema = "", type = "AVRO") => [
  { name: "schemaType", label: "Type", value: type, options: [["AVRO", "Avro"], ["JSON", "JSON Schema"], ["PROTOBUF", "Protocol Buffers"]] },
  { name: "schema", label: "Schema", type: "text-area", rows: 14, value: schema, required: true },
];
