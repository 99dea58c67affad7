/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.json;

import java.util.Map;
import java.util.Set;

/** Checks fields that a request passes through. */
public final class ExtraFields {
    private ExtraFields() {}

    /** For a request: also refuses {@code stream}, whose answer is not JSON. */
    public static Map<String, Object> ofRequest(Map<String, ?> extra, Set<String> ownFields) {
        if (Boolean.TRUE.equals(extra.get("stream"))) {
            throw new IllegalArgumentException("stream: true gives an event stream, which this call does not read");
        }
        return checked(extra, ownFields);
    }

    public static Map<String, Object> checked(Map<String, ?> extra, Set<String> ownFields) {
        for (String name : extra.keySet()) {
            if (ownFields.contains(name)) {
                throw new IllegalArgumentException(
                        "\"" + name + "\" has a parameter of its own; it can't be an extra field");
            }
        }
        return JsonText.freezeMap(extra);
    }
}
