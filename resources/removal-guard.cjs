// A stage is not removed while something of it is under way: `sls remove` asks its table first.

/** As shared/domain/shards.ts has them. */
const shards = Array.from({ length: 16 }, (_, shard) => String(shard).padStart(2, '0'));

/** How many are counted: more are too many just as well. */
const most = 1000;

/**
 * Ids of the moves and batches that have not come to their end. Each has a time at which the sweep looks after it; so
 * have moves whose copy on the source waits for its retirement.
 *
 * @returns undefined when there is no such table
 */
async function activeIn({ DynamoDBClient, QueryCommand }, settings, tableName) {
  const client = new DynamoDBClient(settings);
  try {
    return await lookIn(client, QueryCommand, tableName);
  } finally {
    client.destroy();
  }
}

async function lookIn(client, QueryCommand, tableName) {
  const found = new Set();
  for (const shard of shards) {
    let start;
    do {
      const page = await client
        .send(
          new QueryCommand({
            TableName: tableName,
            IndexName: 'byDue',
            KeyConditionExpression: '#shard = :shard',
            ExpressionAttributeNames: { '#shard': 'shard' },
            ExpressionAttributeValues: { ':shard': { S: shard } },
            ExclusiveStartKey: start,
          }),
        )
        .catch((error) => {
          if (error.name === 'ResourceNotFoundException') return undefined;
          throw error;
        });
      if (page === undefined) return undefined;
      for (const { pk } of page.Items) {
        const [kind, id] = pk.S.split('#');
        if (kind === 'MOVE' || kind === 'BATCH') found.add(id);
      }
      start = page.LastEvaluatedKey;
    } while (start !== undefined && found.size < most);
  }
  return [...found];
}

/** Why a stage is not removed; undefined: nothing is in the way. */
function refusalOf(stage, active) {
  if (active === undefined || active.length === 0) return undefined;
  const some = active.slice(0, 5).join(', ');
  const figure = active.length >= most ? `${most} or more` : String(active.length);
  return (
    `Stage ${stage} is not removed: ${figure} of its batches and moves have not come to their end (${some}${active.length > 5 ? ', …' : ''}). ` +
    `Copies on sources would stay there, fenced, for ever, and what is frozen would stay frozen. ` +
    `Let them end or cancel them: dray --stage ${stage} status; dray --stage ${stage} batch list. ` +
    `If all of that is to be left as it is: sls remove --stage ${stage} --param="force=yes".`
  );
}

class RemovalGuard {
  constructor(serverless, options) {
    this.hooks = { 'before:remove:remove': () => this.refuseWhileActive(serverless, options) };
  }

  async refuseWhileActive(serverless, options) {
    const { stage, region } = serverless.service.provider;
    if ([options.param ?? []].flat().includes('force=yes')) return;
    const profile = options['aws-profile'];
    const settings = { region, ...(profile === undefined ? {} : { profile }) };
    let refusal;
    try {
      // Only now: whoever packages has no use for it.
      const sdk = require('@aws-sdk/client-dynamodb');
      refusal = refusalOf(stage, await activeIn(sdk, settings, `drayage-${stage}`));
    } catch (error) {
      refusal =
        `Stage ${stage} is not removed: its table could not be asked whether anything is under way (${error.message}). ` +
        `If it is to be removed all the same: sls remove --stage ${stage} --param="force=yes".`;
    }
    if (refusal !== undefined) throw new serverless.classes.Error(refusal);
  }
}

module.exports = RemovalGuard;
