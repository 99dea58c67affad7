/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.schema;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.config.argument.ArgumentSchema;
import dev.sglangray.config.argument.ArgumentSchema.Field;
import dev.sglangray.config.argument.ArgumentSchema.Kind;
import dev.sglangray.config.argument.ArgumentValidator;
import java.util.List;

/** The JSON Schema of a {@code server} or {@code router} block. */
final class ArgumentBlockSchema {
    private ArgumentBlockSchema() {}

    static ObjectNode of(ArgumentSchema arguments) {
        ObjectNode block = EditorSchema.type("object");
        block.put("description", "Arguments of " + arguments.packageName() + " " + arguments.version() + ".");
        ObjectNode properties = block.putObject("properties");
        for (Field field : arguments.fields().values()) {
            boolean passed = arguments.kind().isEngine() || !field.commandLine().isEmpty();
            if (field.settable() && passed) {
                properties.set(field.name(), field(field, arguments.kind()));
            }
        }
        arguments
                .history()
                .formerNames(arguments)
                .forEach((former, name) -> properties
                        .putObject(former)
                        .put("description", "In the place of this is " + name + ", and it is passed on as that.")
                        .put("deprecated", true));
        block.put("additionalProperties", false);
        return block;
    }

    private static ObjectNode field(Field field, Kind kind) {
        ObjectNode schema = JsonNodeFactory.instance.objectNode();
        ArrayNode alternatives = schema.putArray("anyOf");
        List<ArgumentSchema.Type> types = field.alternatives().isEmpty() ? List.of(field.type()) : field.alternatives();
        types.forEach(type -> alternatives.add(type(type, field.choices())));
        // The router's launcher leaves out what is null, whatever its type.
        if (field.nullable() || !kind.isEngine()) {
            alternatives.add(EditorSchema.type("null"));
        }
        alternatives.add(EditorSchema.ref("interpolation"));
        boolean filled = kind.isEngine() && ArgumentValidator.isFilledIn(field);
        String help = filled ? "Filled in when the engine starts: leave it unset. " + field.help() : field.help();
        if (!help.isBlank()) {
            schema.put("description", help.strip());
        }
        return schema;
    }

    private static ObjectNode type(ArgumentSchema.Type type, List<String> choices) {
        ObjectNode schema = switch (type) {
            case INT -> EditorSchema.type("integer");
            case FLOAT -> EditorSchema.type("number");
            case STR -> EditorSchema.type("string");
            case BOOL -> EditorSchema.type("boolean");
            case LIST -> EditorSchema.type("array");
            case DICT -> EditorSchema.type("object");
            case ANY -> JsonNodeFactory.instance.objectNode();
        };
        if (choices.isEmpty() || type == ArgumentSchema.Type.DICT || type == ArgumentSchema.Type.BOOL) {
            return schema;
        }
        if (type == ArgumentSchema.Type.LIST) {
            values(schema.putObject("items").putArray("enum"), choices, true);
        } else {
            values(schema.putArray("enum"), choices, type == ArgumentSchema.Type.STR);
        }
        return schema;
    }

    private static void values(ArrayNode list, List<String> choices, boolean texts) {
        for (String choice : choices) {
            if (choice.equals("null")) {
                list.addNull();
            } else if (!texts && choice.matches("-?[0-9]{1,18}")) {
                list.add(Long.parseLong(choice));
            } else {
                list.add(choice);
            }
        }
    }
}
