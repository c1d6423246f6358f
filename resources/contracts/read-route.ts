import type * as z from 'zod';
import type { ProblemCode } from '../../shared/contracts/api/problems.ts';
import type { Listing, Lookup } from './vtl/parameters.ts';

/** What a person reads of a route in the documents. */
interface About {
  readonly name: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
}

/** A route that answers one row. */
export interface LookupRoute extends About {
  readonly kind: 'lookup';
  readonly row: Lookup;
  readonly answer: z.ZodType;
  /** The answer's name in the document. */
  readonly called: string;
  /** What is answered where there is no such row; absent: the answer says what stands then. */
  readonly unknown?: ProblemCode;
}

/** A route that answers rows, a page at a time. */
export interface ListingRoute extends About {
  readonly kind: 'listing';
  readonly rows: Listing;
  /** The field of the answer that holds them. */
  readonly field: string;
  readonly item: z.ZodType;
  readonly called: string;
  readonly query?: { readonly description: string; readonly required: boolean };
}

/** A route that is answered by the function that explains. */
export interface ExplanationRoute extends About {
  readonly kind: 'explanation';
  /** In the path. */
  readonly id: RegExp;
  readonly unknown: ProblemCode;
}
