/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.app.ArgumentSchemas;
import dev.sglangray.app.FleetCheck;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Severity;
import java.util.Locale;
import java.util.stream.Collectors;

/** What {@code validate} prints. */
public final class ProblemReport {
    private final FleetCheck.Result result;
    private final long errors;
    private final long warnings;

    public ProblemReport(FleetCheck.Result result) {
        this.result = result;
        this.errors = count(result, Severity.ERROR);
        this.warnings = count(result, Severity.WARNING);
    }

    private static long count(FleetCheck.Result result, Severity severity) {
        return result.problems().stream()
                .filter(problem -> problem.severity() == severity)
                .count();
    }

    /** A paragraph for each problem, then one line that counts them and says what was compared with. */
    public String text() {
        StringBuilder text = new StringBuilder();
        result.problems()
                .forEach(problem -> text.append(Paths.shorten(problem.render())).append('\n'));
        if (errors == 0) {
            text.append("valid: a launch could start");
        } else {
            text.append(number(errors, "error"));
        }
        if (warnings > 0) {
            text.append(errors == 0 ? "; " : ", ").append(number(warnings, "warning"));
        }
        if (!result.schemas().isEmpty()) {
            text.append("; compared with ")
                    .append(result.schemas().stream()
                            .map(ArgumentSchemas.Found::describe)
                            .collect(Collectors.joining(" and ")));
        }
        return text.toString();
    }

    private static String number(long count, String what) {
        return count + " " + what + (count == 1 ? "" : "s");
    }

    /** One line of JSON. */
    public String json() {
        JsonNodeFactory json = JsonNodeFactory.instance;
        ObjectNode report = json.objectNode();
        report.put("valid", errors == 0);
        report.put("errors", errors);
        report.put("warnings", warnings);
        ArrayNode list = report.putArray("problems");
        result.problems().forEach(problem -> list.add(of(problem)));
        ArrayNode schemas = report.putArray("compared_with");
        for (ArgumentSchemas.Found found : result.schemas()) {
            schemas.addObject()
                    .put("kind", found.schema().kind().name().toLowerCase(Locale.ROOT))
                    .put("package", found.schema().packageName())
                    .put("version", found.schema().version())
                    .put("python", found.python());
        }
        return report.toString();
    }

    /** A problem as JSON; lines and columns that are not known are null. */
    static ObjectNode of(ConfigProblem problem) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        node.put("severity", problem.severity().name().toLowerCase(Locale.ROOT));
        node.put("file", problem.position().file());
        boolean placed = problem.position().line() > 0;
        node.put("line", placed ? problem.position().line() : null);
        node.put("column", placed ? problem.position().column() : null);
        node.put("key", problem.key());
        node.put("message", problem.message());
        ArrayNode allowed = node.putArray("allowed");
        problem.allowed().forEach(allowed::add);
        node.put("fix", problem.fix().isEmpty() ? null : problem.fix());
        ArrayNode trail = node.putArray("trail");
        problem.trail().forEach(trail::add);
        return node;
    }
}
