// A stage is not removed while something of it is under way: `sls remove` asks its table first.

/** How many are counted: more are too many just as well. */
const most = 1000;

/**
 * Moves and batches that have not come to their end. A move that is stuck has not, whoever knows of it: what it froze
 * stays frozen. Nor has one whose copy on the source waits for its retirement.
 */
const notEnded = {
  FilterExpression:
    '(#kind = :move AND NOT #label IN (:retired, :rolledBack)) OR (#kind = :batch AND #state <> :completed)',
  ProjectionExpression: '#id',
  ExpressionAttributeNames: { '#id': 'id', '#kind': 'kind', '#label': 'label', '#state': 'state' },
  ExpressionAttributeValues: {
    ':move': { S: 'move' },
    ':retired': { S: 'retired' },
    ':rolledBack': { S: 'rolled-back' },
    ':batch': { S: 'batch' },
    ':completed': { S: 'completed' },
  },
};

/**
 * Their ids, of the whole table: no index has all of them.
 *
 * @returns undefined when there is no such table
 */
async function activeIn({ DynamoDBClient, ScanCommand }, config, tableName) {
  const client = new DynamoDBClient(config);
  const found = [];
  let start;
  try {
    do {
      const scan = { ...notEnded, TableName: tableName, ConsistentRead: true, ExclusiveStartKey: start };
      const page = await client.send(new ScanCommand(scan));
      found.push(...page.Items.map(({ id }) => id.S));
      start = page.LastEvaluatedKey;
    } while (start !== undefined && found.length < most);
  } catch (error) {
    // One that goes while it is asked has been there: that is no answer.
    if (error.name !== 'ResourceNotFoundException' || start !== undefined) throw error;
    return undefined;
  } finally {
    client.destroy();
  }
  return found;
}

/** Why a stage is not removed; undefined: nothing is in the way. */
function refusalOf(stage, place, active) {
  if (active.length === 0) return undefined;
  const some = active.slice(0, 5).join(', ');
  const figure = active.length >= most ? `${most} or more` : String(active.length);
  return (
    `Stage ${stage} in ${place} is not removed: ${figure} of its batches and moves have not come to their end (${some}${active.length > 5 ? ', …' : ''}). ` +
    `Copies on sources would stay there, fenced, for ever, and what is frozen would stay frozen. ` +
    `Let them end or cancel them, and retry those that are stuck: dray --stage ${stage} status; dray --stage ${stage} batch list. ` +
    `If all of that is to be left as it is: sls remove --stage ${stage} --param="force=yes".`
  );
}

class RemovalGuard {
  constructor(serverless, options, { log }) {
    this.hooks = { 'before:remove:remove': () => this.refuseWhileActive(serverless, options, log) };
  }

  async refuseWhileActive(serverless, options, log) {
    if ([options.param ?? []].flat().includes('force=yes')) return;
    // Where and as whom it removes, so that what is asked is what would go.
    const provider = serverless.getProvider('aws');
    const stage = provider.getStage();
    const table = `drayage-${stage}`;
    let refusal;
    try {
      // Only now: whoever packages has no use for it.
      const sdk = require('@aws-sdk/client-dynamodb');
      const active = await activeIn(sdk, await provider.getAwsSdkV3Config(), table);
      const place = await placeOf(provider);
      if (active === undefined)
        log.notice(`There is no table ${table} in ${place}: nothing can be under way there.`);
      else refusal = refusalOf(stage, place, active);
    } catch (error) {
      refusal =
        `Stage ${stage} in ${await placeOf(provider)} is not removed: its table could not be asked whether anything is under way (${error.message}). ` +
        `If it is to be removed all the same: sls remove --stage ${stage} --param="force=yes".`;
    }
    if (refusal !== undefined) throw new serverless.classes.Error(refusal);
  }
}

/** The account and region in which the stage is looked for, for people. */
async function placeOf(provider) {
  const account = await provider.getAccountId().then(
    (id) => `account ${id}`,
    () => 'an unknown account',
  );
  return `${account}, region ${provider.getRegion()}`;
}

module.exports = RemovalGuard;
