/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.json;

import java.util.AbstractList;
import java.util.RandomAccess;

/** Token ids, four bytes each. Unmodifiable. */
public final class TokenIds extends AbstractList<Integer> implements RandomAccess {
    public static final TokenIds EMPTY = new TokenIds(new int[0]);

    private final int[] ids;

    /**
     * Takes over the ids.
     *
     * @param ids not to be changed afterwards
     */
    TokenIds(int[] ids) {
        this.ids = ids;
    }

    @Override
    public Integer get(int index) {
        return ids[index];
    }

    @Override
    public int size() {
        return ids.length;
    }
}
