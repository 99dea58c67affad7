/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import com.fasterxml.jackson.databind.ObjectMapper;

/** The module's one JSON mapper, which is safe for use by many threads once it is set up. */
final class BridgeJson {
    static final ObjectMapper MAPPER = new ObjectMapper();

    private BridgeJson() {}
}
